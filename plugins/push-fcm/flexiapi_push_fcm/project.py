"""A Firebase project."""

from pathlib import Path
from typing import Any

import httpx
from google.auth.exceptions import GoogleAuthError
from google.oauth2.service_account import Credentials
from pyfcm import FCMNotification
from pyfcm.errors import FCMError

from flexiapi.plugin import Receipt, Retryable, unreachable
from flexiapi_push_fcm.failures import OF_ANOTHER_KIND, error_code, refused
from flexiapi_push_fcm.tokens import AccessToken, OAuthTransport

_SCOPE = "https://www.googleapis.com/auth/firebase.messaging"

_NO_DEVICE = "check"


class Project:
    """Sends with one service account: pyfcm builds requests and reads answers, httpx sends them.

    The constructor reads the file. Raises `OSError` and `ValueError` if it is not a service account file.
    """

    def __init__(self, file: Path, endpoint: str, oauth: OAuthTransport, http: httpx.AsyncClient) -> None:
        credentials = _credentials(file)
        self._fcm = FCMNotification(credentials=credentials)  # type: ignore[arg-type]  # pyfcm names another class than it uses
        self._fcm.FCM_END_POINT_BASE = f"{endpoint.rstrip('/')}/v1/projects"
        self._token = AccessToken(credentials, oauth)
        self._http = http

    async def send(self, token: str, data: dict[str, str], android: dict[str, str], title: str | None) -> Receipt:
        """Send to one device, with the options for Android. Raises a `DeliveryError`."""
        payload = self._fcm.parse_payload(
            fcm_token=token, data_payload=data, android_config=android, notification_title=title
        )
        return Receipt(self._read(await self._post(payload)))

    async def check(self) -> None:
        """Let FCM validate a message without device: it checks the credentials and the project first."""
        payload = self._fcm.parse_payload(fcm_token=_NO_DEVICE, data_payload={"check": "1"}, dry_run=True)
        answer = await self._post(payload)
        if answer.status_code != httpx.codes.BAD_REQUEST or error_code(answer) != "INVALID_ARGUMENT":
            self._read(answer)

    async def _post(self, payload: bytes) -> httpx.Response:
        headers = {"Authorization": await self._token.header(), "Content-Type": "application/json"}
        try:
            answer = await self._http.post(self._fcm.fcm_end_point, content=payload, headers=headers)
        except httpx.RequestError as error:
            raise unreachable(error, "FCM") from error
        if answer.status_code == httpx.codes.UNAUTHORIZED and error_code(answer) != OF_ANOTHER_KIND:
            self._token.forget(headers["Authorization"])
        return answer

    def _read(self, answer: httpx.Response) -> str | None:
        try:
            name = _name(self._fcm.parse_response(answer))
        except FCMError as error:
            # pyfcm's text is Google's, which quotes the device's token.
            raise refused(error, answer) from None
        except ValueError:
            raise Retryable("FCM's answer is not JSON") from None
        return name

    async def close(self) -> None:
        """Wait for the renewal of the access token."""
        await self._token.renewed()


def _name(answer: Any) -> str | None:
    name = answer.get("name") if isinstance(answer, dict) else None
    return name if isinstance(name, str) else None


def _credentials(file: Path) -> Credentials:
    try:
        found = Credentials.from_service_account_file(str(file), scopes=[_SCOPE])
    except (GoogleAuthError, ValueError) as error:
        raise ValueError(
            f"{file} is not a service account file ({type(error).__name__}). "
            "Generate a new private key in the Firebase console and put it there."
        ) from None
    if not isinstance(found, Credentials) or not found.project_id:
        raise ValueError(f"{file} has no project_id. Generate a new private key in the Firebase console.")
    return found
