"""Conversations and research are kept the same way on every database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from storage_databases import BACKENDS, database

from storage.errors import InvalidDataError, NotFoundError
from storage.store import Store, open_store


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with database(request.param, tmp_path) as address, open_store(address) as opened:
        yield opened


def test_messages_come_back_in_order_and_the_last_used_conversation_first(store: Store) -> None:
    first = store.conversations.create("First", session_id="ses_gone")
    store.conversations.create("Second")
    store.conversations.append(
        first.id, [{"role": "user", "content": "ä"}, {"role": "assistant", "content": None}]
    )
    store.conversations.append(first.id, [{"role": "user", "content": "again"}])
    stored = store.conversations.messages(first.id)
    assert [(one.number, one.content["content"]) for one in stored] == [(0, "ä"), (1, None), (2, "again")]
    assert [one.title for one in store.conversations.list().rows] == ["First", "Second"]
    assert store.conversations.get(first.id).messages == 3
    assert store.conversations.get(first.id).session_id == "ses_gone"


def test_two_writers_lose_no_message(store: Store) -> None:
    chat = store.conversations.create("Busy").id
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: store.conversations.append(chat, [{"n": n}, {"n": n}]), range(20)))
    numbers = [one.content["n"] for one in store.conversations.messages(chat)]
    assert sorted(numbers) == sorted([*range(20), *range(20)])
    assert numbers[::2] == numbers[1::2], "what is appended at once stays together"


def test_a_conversation_is_found_renamed_and_deleted(store: Store) -> None:
    chat = store.conversations.create("100% fuel").id
    store.conversations.create("Other")
    assert store.conversations.list(text="100%").total == 1
    assert store.conversations.update(chat, title="Fuel").title == "Fuel"
    store.conversations.append(chat, [{"role": "user"}])
    assert store.conversations.delete(chat).counts == {"conversations": 1, "messages": 1}
    for gone in (store.conversations.get, store.conversations.messages, store.conversations.delete):
        with pytest.raises(NotFoundError):
            gone(chat)
    with pytest.raises(NotFoundError):
        store.conversations.append(chat, [{"role": "user"}])


def test_what_is_no_json_is_refused_whole(store: Store) -> None:
    chat = store.conversations.create("Bad").id
    with pytest.raises(InvalidDataError):
        store.conversations.append(chat, [{"fine": 1}, {"bad": float("nan")}])
    assert store.conversations.get(chat).messages == 0


def test_research_is_found_by_whole_tags(store: Store) -> None:
    store.research.save("Gasket", "text", ["here"], tags=["öl", "vacuum leak"])
    store.research.save("Other", "text", ["here"], tags=["vacuum"])
    assert [one.title for one in store.research.list(tag="vacuum").rows] == ["Other"]
    assert [one.title for one in store.research.list(tag="öl").rows] == ["Gasket"]
    assert store.research.list(tag="vac").total == 0
