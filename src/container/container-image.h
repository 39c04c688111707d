/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-engine.h"

/* The image, pulled when it is not there; `peer` (container-link) hears how far that is. */
SlEngineImage *container_image_ensure(SlEngine *engine, const char *reference, int peer,
                                      GError **error);

/* What the image's registry wants to know, from a file as `docker login` and `podman login` write
 * it; members NULL: nothing. SL_ERROR_CONFIG: the file is broken. */
typedef struct {
    char *username, *password, *identity_token, *server;
} ContainerLogin;
gboolean container_login_load(const char *path, const char *reference, ContainerLogin *ret,
                              GError **error);
void container_login_clear(ContainerLogin *login);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ContainerLogin, container_login_clear)

/* "registry.example:5000" of "registry.example:5000/a/b:1"; "docker.io" when it has none. */
char *container_image_registry(const char *reference);

/* The argv of an image: its entrypoint and command, or else AIRBYTE_ENTRYPOINT of its environment.
 * SL_ERROR_CONNECTOR: it has neither. */
GStrv container_image_command(const SlEngineImage *image, GError **error);
