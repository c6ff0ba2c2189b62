"""The bench's taught items: what changed at the API comes down, what was taught here goes up."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime

import httpx

from inspector.following import cursor, follow, told
from inspector.gallery import Gallery, GalleryError
from inspector.gallery_archive import write_archive

log = logging.getLogger(__name__)

EVERY = 60.0
"""Seconds between two looks for changes."""
UP_AT_ONCE, UP_BYTES = 20, 4 * 2**20
"""Items, and bytes of their pictures, sent in one request: the server looks at every picture before it answers."""
ZIP = "application/zip"
KEY_REFUSED = (401, 403)


class NotFollowedError(Exception):
    """The API's items could not be taken over now. str() says why; what is here is used meanwhile."""


class RefusedError(NotFollowedError):
    """The API is there and does not take this."""


class BusyError(NotFollowedError):
    """The API is there and cannot take anything now: asking once for each item would only add to its load."""


class ItemSync:
    """Keeps a bench's gallery in step with the API's, in a thread of its own.

    client: httpx client whose base URL is the API. authorize: headers with the key.
    """

    def __init__(
        self,
        gallery: Gallery,
        client: httpx.Client,
        authorize: Callable[[], dict[str, str]],
        clock: Callable[[], datetime],
    ) -> None:
        self._gallery = gallery
        self._client = client
        self._authorize = authorize
        self._clock = clock
        self._trouble: str | None = None
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="items", daemon=True)

    @property
    def trouble(self) -> str | None:
        """Why the last look failed; None when it did not."""
        return self._trouble

    def start(self) -> None:
        """Look now and then in the background."""
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """End the thread."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def wake(self) -> None:
        """Something was taught here."""
        self._wake.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.work()
                trouble = None
            except (NotFollowedError, GalleryError) as error:
                trouble = str(error)
            except Exception as error:  # the boundary of the thread: the bench goes on with the items it has
                log.exception("the taught items could not be brought up to date")
                trouble = repr(error)
            if trouble != self._trouble and trouble is not None:
                log.warning("taught items: %s", trouble)
            self._trouble = trouble
            self._wake.wait(EVERY)
            self._wake.clear()

    def work(self) -> None:
        """Send what was taught here, and take over what changed there, also where the one or a part of it cannot be
        done: what the API refuses waits here, and keeps nothing else waiting. Raises NotFollowedError, GalleryError.
        """
        self._gallery.reembed()  # after a change of the embedder; else there is nothing to do
        refused = self._up()
        while not self._stop.is_set() and self._down():
            pass
        if refused is not None:
            raise refused

    def _up(self) -> NotFollowedError | None:
        """Everything that the API takes; the last refusal, if it refused something. What is refused among others is
        sent alone, so that the others arrive.
        """
        refused: NotFollowedError | None = None
        for some in self._batches():
            alone = [{item: ids} for item, ids in some.items()] if len(some) > 1 else []
            try:
                trouble = self._tell(some)
                for one in alone if trouble is not None else []:  # which of them it is, only the API knows
                    refused = self._tell(one) or refused
            except BusyError as error:
                return error
            if not alone:
                refused = trouble or refused
        return refused

    def _tell(self, some: dict[str, set[str]]) -> NotFollowedError | None:
        """One request; why these are refused, None when they were taken."""
        file = io.BytesIO()
        try:
            write_archive(self._gallery, file, some, only=some, at=self._clock())
            answer = self._ask("POST", headers={"Content-Type": ZIP}, content=file.getvalue())
        except (RefusedError, GalleryError) as error:
            return NotFollowedError(f"{', '.join(sorted(some))[:200]} could not be told: {error}")
        if not _taken_over(answer, len(some)):  # some proxies say 200 to everything
            raise NotFollowedError("what answers there is not the API")
        told(self._gallery, some)
        return None

    def _batches(self) -> Iterator[dict[str, set[str]]]:
        """References that the API was not told, by item: as many at once as one request may hold. An item without any
        has a new name or weight.
        """
        some: dict[str, set[str]] = {}
        size = 0
        for item, untold in sorted(self._gallery.untold().items()):
            if len(some) == UP_AT_ONCE:
                yield some
                some, size = {}, 0
            some[item] = set()
            for record in self._gallery.records([item]).values():
                for reference in (r for r in record.references if r.id in untold):
                    bytes_ = len(reference.picture) + len(reference.mask)
                    if size and size + bytes_ > UP_BYTES:
                        yield {name: ids for name, ids in some.items() if ids or name != item}
                        some, size = {item: set()}, 0
                    some[item].add(reference.id)
                    size += bytes_
        if some:
            yield some

    def _down(self) -> bool:
        """One page of changes; True when there are more."""
        since = cursor(self._gallery)
        known = {"If-None-Match": f'"{since}"'} if since else {}
        answer = self._ask("GET", headers=known, params={"since": since} if since else {})
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            return False
        return follow(self._gallery, io.BytesIO(answer.content)).more

    def _ask(
        self,
        method: str,
        *,
        headers: dict[str, str],
        params: dict[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        try:
            answer = self._client.request(
                method, "/v1/gallery", headers={**self._authorize(), **headers}, params=params, content=content
            )
        except (httpx.HTTPError, OSError) as error:
            raise NotFollowedError(f"the API cannot be asked ({type(error).__name__})") from error
        if not answer.is_success and answer.status_code != httpx.codes.NOT_MODIFIED:
            raise _refusal(answer.status_code)(f"the API answers {answer.status_code} {answer.text[:200]}")
        return answer


def _refusal(status: int) -> type[NotFollowedError]:
    """What a status that is no success means for what was sent."""
    if status in KEY_REFUSED:
        return NotFollowedError
    busy = status == httpx.codes.TOO_MANY_REQUESTS or httpx.codes.is_server_error(status)
    return BusyError if busy else RefusedError


def _taken_over(answer: httpx.Response, items: int) -> bool:
    """True when the API itself says that it has taken over so many items."""
    try:
        return bool(answer.json()["items"] == items)
    except (ValueError, KeyError, TypeError):
        return False
