#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Tokens that end soon: the server says so, refuses them afterwards, and the SDK goes on without its caller's help."""
import api
import points
from airbyte_api import AirbyteAPI, models
from airbyte_api import api as calls
from points import case, equal, ok


def main():
    answer = api.token(form=True)
    client = api.Api("Bearer " + answer["access_token"])
    with case("a token that ends soon"):
        ok(0 < answer["expires_in"] <= 10, "  says when", answer["expires_in"])
        sdk = AirbyteAPI(server_url=api.URL + api.PUBLIC, security=models.Security(
            client_credentials=models.SchemeClientCredentials(
                client_id=api.CLIENT_ID, client_secret=api.CLIENT_SECRET, token_url=api.URL + api.PUBLIC + "/applications/token")))
        listing = {"request": calls.ListWorkspacesRequest(limit=1)}
        equal("  the SDK begins", 200, sdk.workspaces.list_workspaces(**listing).status_code)
        status, body = points.wait_for("its end", lambda: (
            found := client.call("GET", api.PUBLIC + "/workspaces"))[0] != 200 and found)
        ok(status == 401 and "expired" in str(body), "  is refused then", f"{status}: {body}")
        equal("  the SDK goes on", 200, sdk.workspaces.list_workspaces(**listing).status_code)
    points.finish()


main()
