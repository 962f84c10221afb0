"""Key figures of ownership: what each one means, and how it is worked out of counts. No reading, no clock."""
