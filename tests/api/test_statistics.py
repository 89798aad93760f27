"""Statistics of creations."""

from datetime import UTC, datetime, timedelta

import pytest

from flexiapi.services.accounts import Period
from flexiapi.services.accounts.statistics import _start


@pytest.fixture
def server(server):
    """It is half past noon: no hour and no day ends while a test runs."""
    now = server.clock.now()
    server.clock.offset = now.replace(hour=12, minute=30) - now
    return server


def made(server, ago, **fields):
    moment = (server.clock.now() - ago).replace(microsecond=0)
    return server.person(created_at=moment, **fields)


@pytest.fixture
def some(server, admin):
    made(server, timedelta(hours=2), phone="+33611111111")
    made(server, timedelta(hours=2), phone="+33622222222", activated=False)
    made(server, timedelta(hours=2), email="a@example.com")
    made(server, timedelta(hours=2), activated=False)
    made(server, timedelta(days=3))
    made(server, timedelta(days=3), domain="other.example.org")
    made(server, timedelta(days=20))
    made(server, timedelta(days=60))


def total(figures):
    return sum(period["all"] for period in figures.values())


@pytest.mark.parametrize("name", ["statistics", "statistic"])
def test_a_day_is_counted_by_hour(server, http, admin, some, name):
    figures = http.get(f"/api/{name}/day", headers=admin.headers).json()
    now = server.clock.now()
    hours = [f"{now - timedelta(hours=24 - hour):%Y-%m-%d %H}" for hour in range(25)]
    assert list(figures) == hours
    two_ago = f"{now - timedelta(hours=2):%Y-%m-%d %H}"
    assert figures[two_ago] == {"all": 4, "phone": 2, "email": 2, "activated_phone": 1, "activated_email": 1}
    assert figures[hours[0]] == dict.fromkeys(figures[two_ago], 0)
    assert total(figures) == 5


@pytest.mark.parametrize("name", ["statistics", "statistic"])
def test_a_week_and_a_month_are_counted_by_day(server, http, admin, some, name):
    week = http.get(f"/api/{name}/week", headers=admin.headers).json()
    today = server.clock.now()
    assert list(week) == [f"{today - timedelta(days=7 - day):%Y-%m-%d}" for day in range(8)]
    assert total(week) == 6
    month = http.get(f"/api/{name}/month", headers=admin.headers).json()
    assert 29 <= len(month) <= 32
    assert list(month)[-1] == f"{today:%Y-%m-%d}"
    assert total(month) == 7


def test_a_month_ends_on_the_last_day_of_a_shorter_one():
    assert _start(Period.MONTH, datetime(2023, 3, 31, 12, tzinfo=UTC)) == datetime(2023, 2, 28, 12, tzinfo=UTC)
    assert _start(Period.MONTH, datetime(2024, 1, 15, 12, tzinfo=UTC)) == datetime(2023, 12, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize("path", ["statistics/day", "statistics/week", "statistics/month", "statistic/day"])
def test_statistics_are_for_administrators(http, alice, path):
    assert http.get(f"/api/{path}", headers=alice.headers).status_code == 403
