"""The hub by itself: bounded memory, growing ids, slow readers summed up, nobody waited for."""

import asyncio
import json
import threading

import numpy as np
import pytest

from server.live.events import Event, groups
from server.live.hub import ALERTS, Hub, session_topic, vehicle_topic
from server.live.ring import Ring
from server.live.subscription import LAG, PAGE, Subscription
from server.live.window import Window
from vehicle.runs import Run


def run_of(signal: str, times_s: list[float], values: list[float]) -> Run:
    return Run(
        signal,
        "rpm",
        "7E8",
        np.array([round(t * 1e6) for t in times_s], np.int64),
        np.array(values, float),
        "",
    )


def publish(hub: Hub, number: int, session: str = "ses_a", kind: str = "sample") -> int:
    return hub.publish(kind, {"end_s": float(number)}, session=session, vehicle="veh_a").id


def numbers(events: list[Event]) -> list[float]:
    return [event.data["end_s"] for event in events if "end_s" in event.data]


def test_ids_grow_also_over_a_restart() -> None:
    first = Hub()
    ids = [publish(first, number) for number in range(5)]
    assert ids == sorted(set(ids))
    assert publish(Hub(), 0) > ids[-1]
    assert ids[-1] < 2**53


def test_a_ring_keeps_what_fits_and_says_what_it_forgot() -> None:
    ring = Ring(3, 10_000, forgotten=0)
    for number in range(1, 6):
        ring.append(Event(number, "sample", {}))
    assert [event.id for event in ring.after(0)] == [3, 4, 5]
    assert [event.id for event in ring.after(4)] == [5]
    assert ring.forgotten == 2
    small = Ring(100, 1000, forgotten=0)
    for number in range(1, 6):
        small.append(Event(number, "sample", {}))
    assert small.size <= 1000
    assert len(small) == 2


def test_readings_are_grouped_by_their_times_and_written_once() -> None:
    shared = run_of("rpm", [0, 0.1], [1, 2])
    other = Run("speed", "km/h", "", shared.times_us, np.array([3.0, 4.0]), "")
    event = Event(7, "sample", {"end_s": 0.1}, runs=(shared, other, run_of("maf", [0], [9])))
    data = json.loads(event.json)["data"]
    assert [(group["signals"], group["t_s"], group["values"]) for group in data["groups"]] == [
        (["rpm", "speed"], [0.0, 0.1], [[1.0, 2.0], [3.0, 4.0]]),
        (["maf"], [0.0], [[9.0]]),
    ]
    assert event.json is event.json
    assert groups(()) == []


def test_a_follower_of_a_vehicle_and_its_session_gets_each_event_once() -> None:
    async def follow() -> list[float]:
        hub = Hub()
        hub.open()
        with Subscription(hub) as subscription:
            subscription.follow([session_topic("ses_a"), vehicle_topic("veh_a"), ALERTS])
            for number in range(3):
                publish(hub, number)
            return numbers(await subscription.next(1)) + numbers(subscription.collect())

    assert asyncio.run(follow()) == [0, 1, 2]


def test_a_reader_that_comes_back_gets_everything_in_pages_however_much_it_is() -> None:
    async def follow() -> tuple[list[float], list[int]]:
        hub = Hub()
        hub.open()
        first = publish(hub, 0)
        for number in range(1, 3 * PAGE):
            publish(hub, number)
        seen, sizes = [], []
        with Subscription(hub) as subscription:
            subscription.follow([session_topic("ses_a")], since=first)
            while events := await subscription.next(0.01):
                seen += numbers(events)
                sizes.append(len(events))
        return seen, sizes

    seen, sizes = asyncio.run(follow())
    assert seen == list(range(1, 3 * PAGE))
    assert max(sizes) == PAGE


def test_a_slow_reader_gets_a_summary_but_every_alert() -> None:
    async def follow() -> list[Event]:
        hub = Hub()
        hub.open()
        with Subscription(hub) as subscription:
            subscription.follow([session_topic("ses_a"), session_topic("ses_b")])
            assert subscription.collect() == []
            for number in range(LAG):
                publish(hub, number)
                publish(hub, number, "ses_b")
                if number == 5:
                    publish(hub, 1000, kind="threshold")
            return subscription.collect()

    events = asyncio.run(follow())
    assert [event.type for event in events] == ["coalesced", "threshold", "sample", "sample"]
    assert events[0].data["events"] == 2 * LAG - 2
    assert numbers(events) == [1000, LAG - 1, LAG - 1]


def test_a_reader_behind_what_is_kept_is_told_what_it_missed() -> None:
    hub = Hub(most_events=5)
    first = publish(hub, 0)
    for number in range(1, 20):
        publish(hub, number)
    with Subscription(hub) as subscription:
        subscription.follow([session_topic("ses_a")], since=first)
        missed, *rest = subscription.collect()
    assert missed.type == "missed"
    assert missed.data["since"] == str(first)
    assert numbers(rest) == [15, 16, 17, 18, 19]


def test_an_expired_topic_remembers_where_it_ended() -> None:
    hub = Hub()
    first = publish(hub, 0)
    publish(hub, 1)
    assert hub.expire(session_topic("ses_a")) == 2
    publish(hub, 2)
    with Subscription(hub) as subscription:
        subscription.follow([session_topic("ses_a")], since=first)
        assert [event.type for event in subscription.collect()] == ["missed", "sample"]


def test_publishing_from_threads_wakes_a_reader_and_loses_nothing() -> None:
    async def follow() -> list[float]:
        hub = Hub()
        hub.open()
        seen: list[float] = []
        with Subscription(hub) as subscription:
            subscription.follow([session_topic("ses_a")], since=0)
            threads = [
                threading.Thread(target=lambda start=start: [publish(hub, start + i) for i in range(100)])
                for start in (0, 100, 200)
            ]
            for thread in threads:
                thread.start()
            while len(seen) < 300:
                events = await subscription.next(5)
                assert events
                seen += numbers(events)
        return seen

    assert sorted(asyncio.run(follow())) == list(range(300))


def test_a_wake_up_for_what_was_read_already_is_no_silence() -> None:
    async def follow() -> list[float]:
        hub = Hub()
        hub.open()
        with Subscription(hub) as subscription:
            subscription.follow([session_topic("ses_a")])
            waiting = asyncio.create_task(subscription.next(60))
            await asyncio.sleep(0)
            publish(hub, 0)
            assert numbers(subscription.collect()) == [0]
            for _ in range(5):
                await asyncio.sleep(0)
            assert not waiting.done()
            publish(hub, 1)
            return numbers(await asyncio.wait_for(waiting, 5))

    assert asyncio.run(follow()) == [1]


def test_a_closed_hub_lets_its_readers_go() -> None:
    async def follow() -> bool:
        hub = Hub()
        hub.open()
        with Subscription(hub) as subscription:
            subscription.follow([ALERTS])
            waiting = asyncio.create_task(subscription.next(60))
            await asyncio.sleep(0)
            hub.close()
            assert await asyncio.wait_for(waiting, 1) == []
        return hub.subscribers == 0

    assert asyncio.run(follow())


@pytest.mark.parametrize("most", [400_000])
def test_a_window_is_bounded_by_age_and_by_readings(most: int) -> None:
    window = Window()
    for second in range(1000):
        window.add([run_of("rpm", [second], [second])], second * 1_000_000)
    (rpm,) = window.signals(10_000)
    assert rpm.readings == 301
    big = [run_of("rpm", [0.0] * (most // 2), [1.0] * (most // 2))]
    for _ in range(5):
        window.add(big, 1000_000_000)
    assert sum(len(runs[0].values) for _, _, runs in window._batches) <= most
