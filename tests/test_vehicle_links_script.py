"""The ELM327 driver against exact bytes: what it sends, what it makes of what comes back."""

import time

import pytest
from scripted_adapter import Answer, Script, linked, served

from vehicle.elm327.outcomes import AdapterError, Timeout
from vehicle.errors import CannotConnectError
from vehicle.links import LinkState, open_link

RPM, VIN = bytes.fromhex("010C"), bytes.fromhex("0902")


def test_connecting_sends_only_what_a_capture_needs() -> None:
    script = Script({})
    with linked(script) as link:
        settings = ["ATI", "ATD", "ATE0", "ATL0", "ATS0", "ATH1", "ATAT2", "STI"]
        assert script.log == [*settings, "ATTP6", "0100"]
        assert (link.info.adapter, link.info.ecus, link.batch_limit) == ("ELM327 v2.2", ("7E8",), 6)
        assert link.info.protocol
        assert link.info.protocol.number == "6"


def test_where_the_commonest_protocol_fails_the_adapter_searches_and_is_asked_what_it_found() -> None:
    tries = iter(["CAN ERROR", "SEARCHING...\r18DAF110064100BE3EB813"])
    script = Script({"0100": lambda: next(tries), "ATDPN": "A7"})
    with linked(script) as link:
        assert [line for line in script.log if line.startswith("ATTP")] == ["ATTP6", "ATTP0"]
        deadline = time.monotonic() + 2.0
        while link.info.protocol is None or not link.info.protocol.number:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert link.info.protocol.number == "7"


def test_a_protocol_that_was_asked_for_is_the_only_one_tried() -> None:
    script = Script({"0100": "NO DATA"})
    with served(script) as address, open_link(address + "?protocol=3", timeout_s=3.0) as link:
        assert link.state is LinkState.NO_CAR
        assert {line for line in script.log if line.startswith("ATTP")} == {"ATTP3"}


def test_a_line_count_is_learned_used_and_learned_again_when_it_proves_wrong() -> None:
    frames = ["7E810094110000400BF", "7E8219FA8970000000"]
    answers: dict[str, Answer] = {"010C": "7E804410C1AF8", "010C1": "7E804410C1AF8"}
    script = Script(answers)
    with linked(script) as link:
        for _ in range(3):
            assert link.request(RPM, "7E8").answers
        assert script.requests() == ["010C", "010C1", "010C1"]
        # the same request suddenly has a longer answer: with the old count it is cut short
        script.answers |= {"0110001": frames[0], "011000": "7E8064110000441FF"}
        payload = bytes.fromhex("011000")
        script.answers["011000"] = "7E804411000040000"[:15]
        assert link.request(payload, "7E8").answers
        script.answers["011000"] = "7E810094110000400BF\r7E8219FA897"
        assert link.request(payload, "7E8").answers[0].data == bytes.fromhex(
            "411000040 0BF9FA897".replace(" ", "")
        )
        assert script.requests()[3:] == ["011000", "0110001", "011000"]
        script.answers["0110002"] = script.answers["011000"]
        assert link.request(payload, "7E8").answers
        assert script.requests()[6:] == ["0110002"]


def test_an_adapter_that_refuses_the_count_is_asked_without_it_from_then_on() -> None:
    script = Script({"010C": "7E804410C1AF8", "010C1": "?"})
    with linked(script) as link:
        for _ in range(4):
            assert link.request(RPM, "7E8").answers
        assert script.requests() == ["010C", "010C1", "010C", "010C1", "010C", "010C"]


def test_one_slip_does_not_cost_the_line_count() -> None:
    slips = iter(["?"])
    script = Script({"010C": "7E804410C1AF8", "010C1": lambda: next(slips, "7E804410C1AF8")})
    with linked(script) as link:
        for _ in range(4):
            assert link.request(RPM, "7E8").answers
        assert script.requests() == ["010C", "010C1", "010C", "010C1", "010C1"]


def test_a_listener_that_fails_does_not_end_the_link(caplog: pytest.LogCaptureFixture) -> None:
    def fail(state: LinkState, reason: str) -> None:
        raise RuntimeError(f"cannot take {state} {reason}")

    with served(Script({"010C": "7E804410C1AF8"})) as address, open_link(address, on_state=fail) as link:
        assert link.request(RPM).answers
    assert "a listener of" in caplog.text


def test_with_several_ecus_free_to_answer_no_count_is_sent() -> None:
    both = "7E804410C1AF8\r7E904410C1AF8"
    script = Script({"0100": "7E8064100BE3EB813\r7E906410080180001", "010C": both})
    with linked(script) as link:
        assert link.info.ecus == ("7E8", "7E9")
        for _ in range(2):
            assert [answer.ecu for answer in link.request(RPM).answers] == ["7E8", "7E9"]
        assert script.requests() == ["010C", "010C"]


def test_one_ecu_is_addressed_once_and_all_of_them_again_when_asked() -> None:
    script = Script({"010C": "7E804410C1AF8", "03": "7E8024300", "010C1": "7E804410C1AF8"})
    with linked(script) as link:
        link.request(RPM, "7E8")
        link.request(RPM, "7E8")
        link.request(b"\x03")
        aims = [line for line in script.log if line.startswith(("ATSH", "ATCRA"))]
        assert aims == ["ATSH7E0", "ATCRA7E8", "ATSH7DF", "ATCRA"]


def test_29_bit_cars_and_makers_own_addresses_get_their_headers_and_flow_control() -> None:
    script = Script(
        {"0100": "18DAF110064100BE3EB813", "010C": "18DAF11004410C1AF8", "221E1C": "18DAF12805621E1C0500"}
    )
    with linked(script) as link:
        assert link.info.ecus == ("18DAF110",)
        assert link.request(RPM, "18DAF110").answers
        assert link.request(bytes.fromhex("221E1C"), "18DAF128").answers
        aims = [line for line in script.log if line.startswith(("ATSH", "ATCRA", "ATFC"))]
        assert aims == ["ATSHDA10F1", "ATCRA18DAF110", "ATSHDA28F1", "ATCRA18DAF128"]
    script = Script({"221E1C": "77E05621E1C0500"})
    with linked(script) as link:
        assert link.request(bytes.fromhex("221E1C"), "714:77E").answers
        aims = [line for line in script.log if line.startswith(("ATSH", "ATCRA", "ATFC"))]
        assert aims == ["ATSH714", "ATCRA77E", "ATFCSH714", "ATFCSD300000", "ATFCSM1"]


def test_an_adapter_that_cannot_be_interrupted_and_answers_late_gives_no_stale_value() -> None:
    stale, fresh = "7E804410C0000", "7E804410C1AF8"
    values = iter([stale, *[fresh] * 50])
    script = Script({"010C": lambda: next(values), "010D": "7E803410D32"}, delays={"010C": 0.5})
    with linked(script) as link:
        reply = link.request(RPM, deadline_s=0.15)
        assert isinstance(reply.trouble, Timeout)
        end = time.monotonic() + 5.0
        answers = []
        while time.monotonic() < end and len(answers) < 6:
            for payload, right in ((RPM, "410C1AF8"), (bytes.fromhex("010D"), "410D32")):
                reply = link.request(payload, deadline_s=0.3)
                answers += [answer.data.hex().upper() == right for answer in reply.answers]
        assert answers
        assert all(answers)


@pytest.mark.parametrize("garbage", ["\x80\xff>\x81", ">", "7E80441>0C1AF8", "\x00\x00>\r7E803410D32"])
def test_a_prompt_in_the_midst_of_garbage_does_not_shift_answers(garbage: str) -> None:
    count = iter(range(1000))
    script = Script({"010C": lambda: garbage + "\r7E804410CFFFF" if next(count) == 0 else "7E804410C1AF8"})
    with linked(script) as link:
        first = link.request(RPM, deadline_s=0.5)
        later = [link.request(RPM, deadline_s=0.8) for _ in range(4)]
        assert not first.answers
        assert {answer.data.hex() for reply in later for answer in reply.answers} == {"410c1af8"}


def test_an_empty_answer_is_no_answer() -> None:
    script = Script({"010C": ""})
    with linked(script) as link:
        reply = link.request(RPM)
        assert (reply.answers, reply.reason) == ((), "not believed: an empty answer")


def test_an_adapter_that_lost_power_for_a_moment_gets_its_settings_again() -> None:
    first = iter(["LV RESET\r\rELM327 v2.2"])
    script = Script({"010C": lambda: next(first, "7E804410C1AF8")})
    with linked(script) as link:
        assert isinstance(link.request(RPM).trouble, AdapterError)
        assert link.wait_until(LinkState.CONNECTED, timeout_s=1.0) is LinkState.CONNECTED
        assert link.request(RPM).answers
        assert script.log.count("ATH1") == 2


def test_a_k_line_car_gets_no_batches_and_j1850_keeps_its_distance() -> None:
    def crc(data: str) -> str:
        from vehicle.elm327.frames import crc8

        return data + f"{crc8(bytes.fromhex(data)):02X}"

    script = Script(
        {
            "0100": crc("486B104100BE3EB813"),
            "010C": crc("486B10410C1AF8"),
            "010C1": crc("486B10410C1AF8"),
            "ATDPN": "A2",
        }
    )
    with linked(script) as link:
        assert (link.batch_limit, link.info.ecus) == (1, ("10",))
        began = time.monotonic()
        for _ in range(4):
            assert link.request(RPM).answers
        assert time.monotonic() - began >= 0.3
        assert script.requests() == ["010C", "010C1", "010C1", "010C1"]


def test_a_request_longer_than_a_frame_is_refused_without_sending() -> None:
    script = Script({})
    with linked(script) as link:
        assert isinstance(link.request(bytes(8)).trouble, AdapterError)
        assert script.requests() == []


def test_what_is_no_elm327_is_told_with_what_it_said() -> None:
    web = Script({"ATI": "HTTP/1.1 400 Bad Request", "": "?"})
    with served(web) as address, pytest.raises(CannotConnectError, match=r"HTTP/1\.1 400"):
        open_link(address, timeout_s=4.0)
    with served(Script({"ATH1": "?"})) as address, pytest.raises(CannotConnectError, match="refuses ATH1"):
        open_link(address, timeout_s=4.0)
