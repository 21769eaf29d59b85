"""Nothing in the corpus of attempts gets through, and every layer is needed for some of it."""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from test_sandbox_harness import (
    UNCONFINED,
    Lab,
    as_user,
    attempts,
    by_the_door,
    grounds,
    plain_box,
    try_all,
)

# What gets through once a layer is gone; so many that a layer which did nothing would be noticed.
NEEDED = {
    "no Landlock": [
        "open",
        "numpy_fromfile",
        "pyarrow_open_input_file",
        "server_memory",
        "to_csv",
        "savefig",
    ],
    "no seccomp": [
        "udp_send",
        "unix_socket",
        "chmod_existing",
        "sysv_shared_memory",
        "nice_bystander",
        "keyring",
    ],
    "no rlimits": ["memory_just_beyond_the_limit", "file_just_beyond_the_limit"],
}


@pytest.fixture(scope="module")
def by_user() -> Iterator[dict[str, Future[Any]]]:
    """Have an ordinary user try, beside what is tried in this process: what it finds, by what is left of the layers."""
    names = [name for needed in NEEDED.values() for name in needed]
    with ThreadPoolExecutor(1) as pool:
        yield {
            "kernel": pool.submit(as_user, "user", "all of the kernel's"),
            "one missing": pool.submit(as_user, "user", *NEEDED, "--only", *names),
            "unconfined": pool.submit(as_user, "user", "unconfined"),
        }


@pytest.fixture(autouse=True)
def _needs_the_layers() -> None:
    if plain_box().status().tier != "full":
        pytest.skip(f"needs a kernel that confines fully: {plain_box().status().reason}")


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("by_user")
def test_no_attempt_gets_through_the_door() -> None:
    verdicts = try_all(by_the_door, grounds(), attempts())
    assert {name: how for name, how in verdicts.items() if how} == {}


@pytest.mark.timeout(900)
def test_no_attempt_gets_past_the_kernel_when_nobody_reads_the_code_and_the_server_is_an_ordinary_user(
    by_user: dict[str, Future[Any]],
) -> None:
    verdicts = by_user["kernel"].result()["all of the kernel's"]
    assert len(verdicts) == len(attempts())
    assert {name: how for name, how in verdicts.items() if how} == {}


@pytest.mark.timeout(900)
def test_harmless_attempts_work_where_nothing_confines_them(by_user: dict[str, Future[Any]]) -> None:
    verdicts = by_user["unconfined"].result()["unconfined"]
    assert [name for name, how in verdicts.items() if not how] == []
    assert len(verdicts) > 100


@pytest.mark.timeout(900)
def test_every_layer_stops_something_that_no_other_one_stops(by_user: dict[str, Future[Any]]) -> None:
    verdicts = by_user["one missing"].result()
    for layer, needed in NEEDED.items():
        assert {name for name in needed if not verdicts[layer][name]} == set(), layer


@pytest.mark.skipif(
    os.getuid() != 0, reason="needs root, who can give the sandbox a user and a file system of its own"
)
def test_with_a_user_and_a_root_of_its_own_files_are_out_of_reach_even_without_the_kernels_other_layers() -> (
    None
):
    lab = Lab(UNCONFINED)
    reached = try_all(
        lab.run, grounds(), tuple(one for one in attempts() if one.category == "reading" and one.control)
    )
    separated = lab.own_root
    lab.close()
    if not separated:
        pytest.skip("this root may not mount, so there is no file system of its own")
    seen = {name for name, how in reached.items() if how}
    own = {"other_runs_scratch", "neighbours_by_relative_walk", "glob_root"}
    assert seen <= own  # its own folder is all there is
