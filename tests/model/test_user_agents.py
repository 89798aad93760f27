"""Names of programs and devices, from their User-Agent."""

import pytest

from flexiapi.model import UserAgent


@pytest.mark.parametrize(
    ("text", "name", "device"),
    [
        ("LinphoneAndroid/5.2.5 (Galaxy S21) LinphoneSDK/5.3.0-pre.1+abc", "Linphone Android 5.2.5", "Galaxy S21"),
        ("LinphoneiOS/5.0.2 (iPhone de Zoé) LinphoneSDK/5.2", "Linphone iOS 5.0.2", "iPhone de Zoé"),
        ("Linphone-Desktop/5.2.6 (desk) debian 12, Qt 5.15", "Linphone Desktop 5.2.6", "desk"),
        ("Android/3", "Android 3", ""),
        ("baresip", "baresip", ""),
        ("Grandstream GXP2170 1.0.11.64", "Grandstream", ""),
        ("curl/8.5.0", "curl 8.5.0", ""),
        ("", "", ""),
        ("(only a comment)", "", ""),
    ],
)
def test_the_program_and_its_device_are_named(text, name, device):
    agent = UserAgent.parse(text)
    assert (agent.name, agent.device) == (name, device)


def test_control_characters_are_left_out_and_long_texts_cost_no_time():
    agent = UserAgent.parse("Lin\x00phone/1.0 (a\u202eb)" + "(" * 100_000)
    assert (agent.name, agent.device) == ("Linphone 1.0", "ab")
