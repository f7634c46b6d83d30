"""An S3-compatible object store on loopback (moto's): checks who asks, fails when told to."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable
from typing import Any

import boto3
from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

BUCKET = "telemetry"
REGION = "us-east-1"


class ObjectStore:
    """One store with one bucket and one user; `failing` is the status that it answers, if any."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._application = DomainDispatcherApplication(create_backend_app)
        self.failing: int | None = None
        self.refused = 0
        self.port = 0
        self._server: BaseWSGIServer | None = None
        self.start()
        self._admit()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen at the port it had before."""
        self._server = make_server("127.0.0.1", self.port, self._answer, threaded=True)
        self.port = self._server.port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Let nobody connect; what it holds stays."""
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def close(self) -> None:
        """End it, and let moto check nobody again."""
        self.stop()
        settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self.failing is None:
            return self._application(environ, start_response)
        self.refused += 1
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response(f"{self.failing} Out of order", [("Content-Length", "0")])
        return []

    def _admit(self) -> None:
        """Make the bucket and a user who may do all with it; from then on check every request."""
        root = {
            "endpoint_url": self.endpoint,
            "region_name": REGION,
            "aws_access_key_id": "root",
            "aws_secret_access_key": "root",
        }
        boto3.client("s3", **root).create_bucket(Bucket=BUCKET)
        iam = boto3.client("iam", **root)
        iam.create_user(UserName="busway")
        allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        iam.put_user_policy(
            UserName="busway",
            PolicyName="all",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
        )
        key = iam.create_access_key(UserName="busway")["AccessKey"]
        self.access_key, self.secret_key = key["AccessKeyId"], key["SecretAccessKey"]
        settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
        ActionAuthenticatorMixin.request_count = 0
