"""A short storm, forms submitted by many at once, and a crowd; `make storm` runs the whole of it (B9, C8, X2)."""

from sqlalchemy import Engine

from tests import storm
from tests.factories import a_world


def test_b9_x2_a_storm_leaves_no_overlap_and_no_caller_without_a_sentence(engine: Engine) -> None:
    told, wrong = storm.storm(engine, processes=4, acts=150)
    assert wrong == []
    assert told["book: done"] > 20
    assert told["book: PersonBusy"] > 20
    assert told["swap: done"] > 10
    assert told["undo: done"] > 10


def test_one_form_is_one_session_whoever_submits_it_how_often(engine: Engine) -> None:
    assert storm.same_forms(engine, a_world(engine), forms=40, clients=6) == []


def test_c8_x2_a_crowd_fills_every_place_and_the_rest_wait_in_order(engine: Engine) -> None:
    assert storm.crowd(engine, processes=4, learners=40, places=12) == []
