from flexiapi.notify.lane import Circuit
from tests.kit.clocks import Clock


def fail(circuit):
    circuit.failed(circuit.admit())


def opened(clock):
    circuit = Circuit(2, 15, clock)
    fail(circuit)
    fail(circuit)
    return circuit


def test_opens_after_failures_in_a_row_only():
    circuit = Circuit(2, 15, Clock())
    fail(circuit)
    circuit.succeeded(circuit.admit())
    fail(circuit)
    fail(circuit)
    assert circuit.admit() is None


def test_one_probe_after_the_rest_closes_it():
    clock = Clock()
    circuit = opened(clock)
    clock.now += 1.8
    assert circuit.admit() is None
    clock.now += 0.1
    probe = circuit.admit()
    assert circuit.admit() is None
    circuit.succeeded(probe)
    assert circuit.admit()
    assert circuit.closed


def test_failed_probe_opens_it_for_twice_as_long_up_to_the_whole_rest():
    clock = Clock()
    circuit = opened(clock)
    clock.now += 2
    for rest in (3.75, 7.5, 15, 15):
        fail(circuit)
        clock.now += rest - 0.1
        assert circuit.resting
        clock.now += 0.2
        assert not circuit.resting
    circuit.succeeded(circuit.admit())
    fail(circuit)
    fail(circuit)
    clock.now += 2
    assert circuit.admit()


def test_messages_that_fail_later_than_the_opening_do_not_prolong_the_rest():
    clock = Clock()
    circuit = Circuit(1, 15, clock)
    older = [circuit.admit() for _ in range(20)]
    fail(circuit)
    clock.now += 1
    for admission in older:
        circuit.failed(admission)
    clock.now += 1
    assert circuit.admit()


def test_abandoned_probe_leaves_the_place_to_another():
    clock = Clock()
    circuit = opened(clock)
    clock.now += 15
    circuit.abandoned(circuit.admit())
    assert circuit.admit()


def test_probe_stays_the_only_one_when_an_older_message_is_given_up():
    clock = Clock()
    circuit = Circuit(2, 15, clock)
    older = [circuit.admit(), circuit.admit()]
    fail(circuit)
    fail(circuit)
    clock.now += 15
    assert circuit.admit()
    circuit.abandoned(older[0])
    circuit.failed(older[1])
    clock.now += 15
    assert circuit.admit() is None
