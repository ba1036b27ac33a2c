"""`login`, `logout`, `whoami` and `token` of the command line against the emulator, and what comes after."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import count

from aignostics_async.emulator.process import Emulator

# What `webbrowser` runs in the place of a browser: a person who signs in, or lets a device in.
_PERSON = """
import sys
sys.path.insert(0, {tests!r})
from real_provider import FormBrowser
FormBrowser().open(sys.argv[1], decision={decision!r})
"""


class Shell:
    """A shell on a machine of its own: a home folder, and a browser with a person before it."""

    def __init__(self, emulator: Emulator, home: Path) -> None:
        self.emulator = emulator
        self.home = home
        self.variables = {
            **emulator.login_environment,
            "XDG_STATE_HOME": str(home),
            "DISPLAY": ":0",
        }
        self.person("approve")

    def person(self, decision: str) -> None:
        """Put a person before the browser who decides like this."""
        script = self.home / "browser.py"
        tests = str(Path(__file__).parents[1] / "helpers")
        script.write_text(_PERSON.format(tests=tests, decision=decision), encoding="utf-8")
        self.variables["BROWSER"] = f"{sys.executable} {script} %s"

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AIGNOSTICS_", "SSH_", "WAYLAND_"))
        }
        return subprocess.Popen(
            [sys.executable, "-m", "aignostics_async.cli", *arguments],
            env={**kept, **self.variables, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **variables)
        out, err = process.communicate(timeout=100)
        for secret in ("emulator-access-", "emulator-refresh-", "emulator-code-", "emulator-device-"):
            assert secret not in err
            assert secret not in out or "--show" in arguments
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)


@pytest.fixture
def shell(emulator: Emulator, tmp_path: Path) -> Shell:
    return Shell(emulator, tmp_path)


def test_signing_in_and_out_with_a_browser(shell: Shell, emulator: Emulator) -> None:
    before = shell.run("applications")
    assert before.returncode == 5
    assert "no login is kept for client 'emulator'" in before.stderr

    login = shell.run("login", "--browser")
    assert login.returncode == 0, login.stderr
    assert f"open this address:\n  {emulator.api_root}/authorize?" in login.stderr
    assert f"signed in as client 'emulator' of {emulator.api_root}" in login.stderr
    assert login.stdout == ""

    assert "he-tme" in shell.run("applications").stdout
    assert count(emulator, method="POST", path="/oauth/token") == 1, "the login's own token serves"

    told = json.loads(shell.run("whoami", "--json").stdout)
    assert told["credential"].startswith("the login kept for AIGNOSTICS_CLIENT_ID at ")
    assert told["client_id"] == "emulator"
    assert told["signed_in"] < told["token_ends"]
    assert "emulator" in shell.run("whoami").stdout

    assert "signed out" in shell.run("logout").stderr
    assert shell.run("applications").returncode == 5
    assert "there was no login" in shell.run("logout").stderr
    assert shell.run("whoami").returncode == 5
    assert count(emulator, method="POST", path="/oauth/revoke") == 1


def test_signing_in_by_device(shell: Shell, emulator: Emulator) -> None:
    process = shell.start("login", "--device")
    assert process.stderr is not None
    lines = [process.stderr.readline() for _ in range(3)]
    assert f"open {emulator.api_root}/activate" in lines[0]
    assert "enter the code" in lines[1]
    complete = lines[2].split()[-1]
    assert complete.startswith(f"{emulator.api_root}/activate?user_code=")
    script = [sys.executable, str(shell.home / "browser.py"), complete]
    subprocess.run(script, check=True, timeout=60)
    assert process.communicate(timeout=60)[1].startswith("signed in")
    assert process.returncode == 0
    assert "he-tme" in shell.run("applications").stdout


@pytest.mark.parametrize("variables", [{"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, {"DISPLAY": ""}])
def test_without_a_screen_a_device_code_is_offered(shell: Shell, variables: dict[str, str]) -> None:
    process = shell.start("login", **variables)
    assert process.stderr is not None
    assert "on any device, open" in process.stderr.readline()
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 143


def test_a_person_who_refuses(shell: Shell) -> None:
    shell.person("deny")
    login = shell.run("login", "--browser")
    assert login.returncode == 5
    assert "error: the login was refused (access_denied" in login.stderr


def test_nobody_signs_in(shell: Shell) -> None:
    login = shell.run("login", "--browser", "--timeout", "0.2", BROWSER="true %s")
    assert login.returncode == 5
    assert "start the login again" in login.stderr


def test_a_token_is_printed_when_it_is_asked_for(shell: Shell) -> None:
    shell.run("login", "--browser")
    quiet = shell.run("token")
    assert (quiet.returncode, quiet.stdout) == (0, "")
    assert "there is a usable access token, valid for" in quiet.stderr
    shown = shell.run("token", "--show")
    assert shown.stdout.startswith("emulator-access-")
    assert shown.stderr == ""


def test_a_refresh_token_of_the_environment_outlives_the_process(shell: Shell, emulator: Emulator) -> None:
    """It is used up by the first process; the second one finds what came in its place."""
    refresh = emulator.sign_in()
    for _ in range(3):
        listed = shell.run("applications", AIGNOSTICS_REFRESH_TOKEN=refresh)
        assert listed.returncode == 0, listed.stderr
    assert count(emulator, method="POST", path="/oauth/token") == 1
    told = json.loads(shell.run("whoami", "--json", AIGNOSTICS_REFRESH_TOKEN=refresh).stdout)
    assert told["credential"].startswith("AIGNOSTICS_REFRESH_TOKEN with AIGNOSTICS_CLIENT_ID")


def test_a_service_signs_in_by_itself(shell: Shell, emulator: Emulator) -> None:
    client_id, secret = emulator.service
    listed = shell.run("applications", AIGNOSTICS_CLIENT_ID=client_id, AIGNOSTICS_CLIENT_SECRET=secret)
    assert listed.returncode == 0, listed.stderr
    assert list(shell.home.rglob("*.json")) == [], "nothing is kept"


def test_the_two_client_ids_of_the_official_sdk(shell: Shell) -> None:
    """The device's own client id is used for devices, and its login is found."""
    del shell.variables["AIGNOSTICS_CLIENT_ID"]
    ids = {"AIGNOSTICS_CLIENT_ID_INTERACTIVE": "unknown", "AIGNOSTICS_CLIENT_ID_DEVICE": "emulator"}
    process = shell.start("login", "--device", **ids)
    assert process.stderr is not None
    complete = [process.stderr.readline() for _ in range(3)][-1].split()[-1]
    subprocess.run([sys.executable, str(shell.home / "browser.py"), complete], check=True, timeout=60)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert shell.run("applications", **ids).returncode == 0


def test_what_is_missing_is_named(shell: Shell) -> None:
    nothing = shell.run("login", AIGNOSTICS_CLIENT_ID="")
    assert nothing.returncode == 2
    assert "support gives one" in nothing.stderr
    keyring = shell.run(
        "login", AIGNOSTICS_TOKEN_STORE="keyring", PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring"
    )
    assert keyring.returncode == 1
    assert "the key ring can't be used (NoKeyringError)" in keyring.stderr
