"""Hours of Hotjar's retries against a receiver, in milliseconds.

    pip install pytest
    REDELIVER=path/to/redeliver pytest examples/pytest
"""


def test_a_response_arrives(hotjar, receiver):
    hotjar.trigger(set={"data.id": 42, "data.survey_name": "Würden Sie …?"})
    hotjar.wait(status="delivered")
    assert receiver.responses[42]["survey_name"] == "Würden Sie …?"


def test_what_failed_comes_again_after_half_a_minute(hotjar, receiver):
    receiver.failures = [503]
    hotjar.trigger()
    hotjar.wait(status="waiting")
    assert receiver.responses == {}
    hotjar.advance("30s")
    (delivery,) = hotjar.wait(status="delivered")
    assert [attempt["status"] for attempt in delivery["attempts"]] == [503, 200]
    assert len(receiver.responses) == 1


def test_a_receiver_that_is_down_for_38_minutes_still_gets_everything(hotjar, receiver):
    receiver.failures = [503] * 6 * 10
    hotjar.trigger(count=10, seed=7)
    hotjar.wait(status="waiting", count=10)
    hotjar.advance("38m30s")
    hotjar.wait(status="delivered", count=10)
    assert len(receiver.responses) == 10


def test_a_message_of_a_kind_that_is_new_is_accepted(hotjar, receiver):
    hotjar.trigger(type="recording", unknown_fields=True)
    hotjar.wait(status="delivered")
