"""What goes wrong on pages, and the page that says so."""

from http import HTTPStatus

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

from scim_app.admin import rendering
from scim_app.errors import RETRY_SECONDS, Conflict, DirectoryError, NotFound, NotPermitted, Refused, StoreUnavailable


class PageProblem(DirectoryError):
    """A page can't be given; carries the status, a heading, where to go from there, and when to come again."""

    def __init__(
        self, status: int, title: str, text: str, *, link: str = "", link_label: str = "", retry_after: int = 0
    ) -> None:
        super().__init__(text)
        self.status = status
        self.title = title
        self.text = text
        self.link = link
        self.link_label = link_label
        self.retry_after = retry_after


def not_found(text: str, *, link: str = "/", link_label: str = "To the start") -> PageProblem:
    """Return the problem of an address that leads nowhere."""
    return PageProblem(HTTPStatus.NOT_FOUND, "Not found", text, link=link, link_label=link_label)


def forbidden(text: str, link: str) -> PageProblem:
    """Return the problem of a person who may not do this."""
    return PageProblem(HTTPStatus.FORBIDDEN, "Not allowed", text, link=link, link_label="Back to the settings")


def bad_request(text: str, link: str = "/") -> PageProblem:
    """Return the problem of a form that can't be read."""
    return PageProblem(HTTPStatus.BAD_REQUEST, "That did not work", text, link=link, link_label="Back")


def problem_page(problem: Exception, request_id: str) -> HTMLResponse:
    """Return the page that tells a problem; one of our own is told without a word of it."""
    shown = _as_problem(problem)
    context = {
        "org": None,
        "status": int(shown.status),
        "title": shown.title,
        "text": shown.text,
        "link": shown.link,
        "link_label": shown.link_label,
        "request_id": request_id if shown.status >= HTTPStatus.INTERNAL_SERVER_ERROR else None,
        "csrf_token": "",
    }
    response = rendering.page("error.html", context, int(shown.status))
    if shown.retry_after:
        response.headers["Retry-After"] = str(shown.retry_after)
    return response


def _as_problem(problem: Exception) -> PageProblem:
    if isinstance(problem, PageProblem):
        return problem
    if isinstance(problem, HTTPException):
        missing = problem.status_code == HTTPStatus.NOT_FOUND
        text = "There is nothing at this address." if missing else str(problem.detail)
        title = "Not found" if missing else "That did not work"
        return PageProblem(problem.status_code, title, text, link="/", link_label="To the start")
    if isinstance(problem, RequestValidationError):
        return bad_request("The address or the form is not one that this page reads.")
    if isinstance(problem, NotFound):
        return not_found(sentence(problem))
    if isinstance(problem, NotPermitted):
        return forbidden(sentence(problem), "/")
    if isinstance(problem, Conflict | Refused):
        return PageProblem(HTTPStatus.CONFLICT, "That is not possible", sentence(problem))
    if isinstance(problem, StoreUnavailable):
        status = HTTPStatus.SERVICE_UNAVAILABLE
        return PageProblem(status, "Not available for the moment", sentence(problem), retry_after=RETRY_SECONDS)
    text = "Something went wrong here, and nothing was changed by this request. Try again."
    return PageProblem(HTTPStatus.INTERNAL_SERVER_ERROR, "That is our fault", text)


def sentence(problem: Exception) -> str:
    """Return what a problem says as a sentence."""
    text = str(problem)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
