"""Who may ask for a fetch by a webhook, and what a hostile request costs."""

import ast
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from controller.adapters.webhook import coalesce, proof, receiver, secret_file, server
from controller.adapters.webhook.proof import Hook, Scheme
from controller.adapters.webhook.receiver import BODY_BYTES_MAX, Answer
from tests.unit.adapters.webhook.requests import GENERIC, GITHUB, GITLAB, SECRET, Rows, send, sign, signed

BODY = b'{"ref": "refs/heads/main"}'
ROOT = Path(__file__).parents[4]

ACCEPTED: dict[str, tuple[Hook, Rows]] = {
    "GitHub": (GITHUB, signed(BODY)),
    "GitHub, by a proxy that writes names small and digits large": (
        GITHUB,
        [(b"x-hub-signature-256", b" sha256=" + sign(BODY).upper() + b" ")],
    ),
    "GitLab": (GITLAB, [(b"X-Gitlab-Token", SECRET)]),
    "a sender of one's own": (GENERIC, [(b"X-Mainspring-Signature", sign(BODY))]),
    "one that says which digest it is": (GENERIC, [(b"X-Mainspring-Signature", b"sha256=" + sign(BODY))]),
    "one with a header of its own": (
        replace(GENERIC, header="X-Gitea-Signature"),
        [(b"X-Gitea-Signature", sign(BODY))],
    ),
}

UNAUTHORIZED: dict[str, tuple[Hook, Rows]] = {
    "no signature": (GITHUB, []),
    "an empty one": (GITHUB, [(b"X-Hub-Signature-256", b"")]),
    "only the old, weak one": (GITHUB, [(b"X-Hub-Signature", b"sha1=" + sign(BODY)[:40])]),
    "that of another body": (GITHUB, signed(BODY + b" ")),
    "that of another secret": (GITHUB, signed(BODY, b"guessed")),
    "that of no secret": (GITHUB, signed(BODY, b"")),
    "the beginning of the right one": (GITHUB, [(b"X-Hub-Signature-256", b"sha256=" + sign(BODY)[:-1])]),
    "without the name of its digest": (GITHUB, [(b"X-Hub-Signature-256", sign(BODY))]),
    "a right and a wrong one": (GITHUB, [*signed(BODY), *signed(BODY, b"guessed")]),
    "twice the right one": (GITHUB, [*signed(BODY), *signed(BODY)]),
    "beyond ASCII": (GITHUB, [(b"X-Hub-Signature-256", "sha256=ü€".encode())]),
    "no UTF-8": (GITHUB, [(b"X-Hub-Signature-256", b"sha256=\xff\xfe\x00")]),
    "a token beyond ASCII": (GITLAB, [(b"X-Gitlab-Token", "gehörtü".encode())]),
    "a wrong token": (GITLAB, [(b"X-Gitlab-Token", SECRET[:-1])]),
    "an empty token": (GITLAB, [(b"X-Gitlab-Token", b"")]),
    "GitHub's signature for GitLab": (GITLAB, signed(BODY)),
    "GitLab's token for GitHub": (GITHUB, [(b"X-Gitlab-Token", SECRET)]),
}


@pytest.mark.parametrize(("hook", "headers"), ACCEPTED.values(), ids=ACCEPTED)
def test_whoever_knows_the_secret_causes_a_fetch(hook: Hook, headers: Rows) -> None:
    """In one piece or in many, the body is the same."""
    assert send(hook, headers, BODY) == (Answer.ACCEPTED, 1)
    assert send(hook, headers, *(BODY[at : at + 1] for at in range(len(BODY)))) == (Answer.ACCEPTED, 1)


@pytest.mark.parametrize(("hook", "headers"), UNAUTHORIZED.values(), ids=UNAUTHORIZED)
def test_whoever_does_not_is_turned_away(hook: Hook, headers: Rows) -> None:
    """A bad proof and none look alike, and nothing is fetched."""
    assert send(hook, headers, BODY) == (Answer.UNAUTHORIZED, 0)


@pytest.mark.parametrize("scheme", Scheme)
def test_without_a_secret_there_is_no_endpoint(scheme: Scheme) -> None:
    """Nobody can sign with a secret that is not there, not even with the empty one."""
    headers = [*signed(BODY, b""), (b"X-Gitlab-Token", b""), (b"X-Mainspring-Signature", sign(BODY, b""))]
    assert send(Hook(scheme), headers, BODY) == (Answer.NOT_FOUND, 0)


def test_what_is_not_json_is_as_good() -> None:
    """Nothing in a body is looked at: it is a reason to look at the spec source, and no more."""
    for body in (b"", b"{", b"[" * 100_000, b"\xff\x00", b'{"a": "\\ud800"}'):
        assert send(GITHUB, signed(body), body) == (Answer.ACCEPTED, 1)


def test_a_body_may_have_so_many_bytes_and_no_more() -> None:
    """The largest body of GitHub is taken; one more byte is refused, announced or not."""
    chunk, count = b"x" * 65_536, BODY_BYTES_MAX // 65_536
    chunks = [chunk] * count
    headers = signed(b"".join(chunks))
    assert send(GITHUB, headers, *chunks) == (Answer.ACCEPTED, 1)
    assert send(GITHUB, headers, *chunks, b"y") == (Answer.TOO_LARGE, 0)
    for length in (str(BODY_BYTES_MAX + 1), "9" * 5000):
        announced = [*headers, (b"Content-Length", length.encode())]
        assert send(GITHUB, announced) == (Answer.TOO_LARGE, 0)
    assert send(GITHUB, [*headers, (b"Content-Length", b"-1, many")], *chunks) == (Answer.ACCEPTED, 1)


def test_a_secret_shows_nowhere() -> None:
    """Whoever prints an endpoint prints no secret."""
    assert SECRET.decode() not in repr(GITHUB) + str(GITHUB)


FLOOD = """
import asyncio, resource
from tests.unit.adapters.webhook.requests import GITHUB, Pokes, signed
from controller.adapters.webhook.receiver import Receiver

taken = 0

async def flood():
    global taken
    for number in range(2**31 // 65_536):
        taken += 65_536
        yield number.to_bytes(4, "big") * 16_384

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

async def main():
    receiver, pokes = Receiver(GITHUB, Pokes()), Pokes()
    before = peak()
    answers = [int(await receiver.receive(signed(b""), flood())) for _ in range(3)]
    print(*answers, taken // 3, peak() - before)

asyncio.run(main())
"""


def test_a_body_of_two_gibibytes_is_cut_off_and_needs_no_memory() -> None:
    """In chunks, so that nothing announces it: 413 after 25 MiB, the rest is not read, and resident memory grows by 8 MiB at most."""
    done = subprocess.run([sys.executable, "-c", FLOOD], capture_output=True, text=True, check=True, cwd=ROOT)
    *answers, taken, grown = map(int, done.stdout.split())
    assert answers == [413] * 3
    assert taken == BODY_BYTES_MAX + 65_536
    assert grown <= 8 * 1024


def noise(chance: random.Random, size: int) -> bytes:
    """Bytes that mean nothing, or nearly something."""
    parts = [
        chance.randbytes(chance.randrange(8)),
        b"sha256=",
        b"sha256",
        SECRET,
        sign(BODY),
        b"\r\n",
        b"\0",
        "ü".encode(),
    ]
    return b"".join(chance.choices(parts, k=chance.randrange(size)))


def test_a_thousand_random_requests_get_an_answer_each() -> None:
    """Whatever stands in headers and bodies, it is an answer from the list and never an error, and nobody guesses the secret."""
    chance = random.Random(20261127)
    names = [b"X-Hub-Signature-256", b"X-Gitlab-Token", b"X-Mainspring-Signature", b"Content-Length", b"", b"\xff"]
    for _ in range(1000):
        hook = chance.choice([GITHUB, GITLAB, GENERIC, Hook(Scheme.GITHUB)])
        headers = [(chance.choice(names), noise(chance, 5)) for _ in range(chance.randrange(6))]
        answer, fetches = send(hook, headers, *(noise(chance, 9) for _ in range(chance.randrange(4))))
        is_known = [value for name, value in headers if name == b"X-Gitlab-Token"] == [SECRET] and hook is GITLAB
        assert is_known or answer is not Answer.ACCEPTED
        assert fetches == (answer is Answer.ACCEPTED)


@pytest.mark.parametrize("module", [coalesce, proof, receiver, secret_file, server], ids=lambda module: module.__name__)
def test_no_secret_is_compared_in_a_time_that_tells(module: object) -> None:
    """No ``==`` or ``!=`` stands near anything secret, and no parser of bodies is imported."""
    tree = ast.parse(Path(str(module.__file__)).read_text())  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
            told = ast.unparse(node)
            assert (
                not any(word in told for word in ("secret", "given", "digest", "proof", "mac")) or "len(given)" in told
            )
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert not any(name.name in ("json", "pydantic", "yaml") for name in node.names)
