"""The pages. Each module has the routes of one page and nothing that decides; what is done is done by `tasks/`."""
