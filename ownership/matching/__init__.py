"""Matching: which records are the same company, by what they have in common, with a reason for each answer."""
