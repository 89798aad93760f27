from flexiapi.notify.circuit import Circuit
from tests.kit.clocks import Clock


def opened(clock):
    circuit = Circuit(2, 15, clock)
    for _ in range(2):
        assert circuit.admit()
        circuit.failed()
    return circuit


def test_opens_after_failures_in_a_row_only():
    circuit = Circuit(2, 15, Clock())
    circuit.failed()
    circuit.succeeded()
    circuit.failed()
    assert circuit.admit()
    circuit.failed()
    assert not circuit.admit()


def test_one_probe_after_the_rest_closes_it():
    clock = Clock()
    circuit = opened(clock)
    clock.now += 14
    assert not circuit.admit()
    clock.now += 1
    assert circuit.admit()
    assert not circuit.admit()
    circuit.succeeded()
    assert circuit.admit()
    assert circuit.closed


def test_failed_probe_opens_it_again():
    clock = Clock()
    circuit = opened(clock)
    clock.now += 15
    assert circuit.admit()
    circuit.failed()
    assert circuit.resting
    clock.now += 15
    assert circuit.admit()


def test_abandoned_probe_leaves_the_place_to_another():
    clock = Clock()
    circuit = opened(clock)
    clock.now += 15
    assert circuit.admit()
    circuit.abandoned()
    assert circuit.admit()
