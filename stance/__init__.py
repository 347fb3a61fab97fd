"""Stance: who asserts, denies or alleges what in a news article."""
