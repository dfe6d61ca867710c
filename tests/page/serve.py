"""The page of `serve`."""


def check(browser, server, mailwright, work):
    """What is wrong with it."""
    return []
