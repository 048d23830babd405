"""What makes a live account forget as soon as it may, so that a test sees what comes of it."""

from sptrader_desktop.core.live_book import Book


class CrowdedBook(Book):
    """It seems full before every fact."""

    is_crowded = True
