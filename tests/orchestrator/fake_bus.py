#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The launcher and systemd1 on a private bus: starts sluice-init as a child of its own.
Usage: fake_bus.py INIT RUN-FOLDER JSON. Prints "ready" when both names are taken; "unit ROLE" for each start."""
import json
import os
import subprocess
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

INIT, FOLDER, PLAN = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
units = {}  # pid of sluice-init → unit


class Unit(dbus.service.Object):
    def __init__(self, bus, path, name):
        super().__init__(bus, path)
        self.name = name

    @dbus.service.method("org.freedesktop.DBus.Properties", "ss", "v")
    def Get(self, interface, key):
        return self.name


class Launcher(dbus.service.Object):
    @dbus.service.method("org.sluice.Launcher1", "ssa{sv}", "s")
    def StartConnector(self, workload, role, options):
        if PLAN.get("error") == role:
            raise dbus.exceptions.DBusException("the host is stopping", name="org.sluice.Error.Unavailable")
        unit = f"sluice-{role}-{PLAN['id']}.service"
        files = f"{FOLDER}/files-{role}"
        os.mkdir(files)
        init = subprocess.Popen([INIT, "--socket", f"{FOLDER}/{PLAN['id']}/{role}/ctl", "--files", files, "--",
                                 *PLAN["commands"][role]])
        path = f"/org/freedesktop/systemd1/unit/u{init.pid}"
        units[init.pid] = path
        Unit(self.connection, path, "sluice-server.service" if PLAN.get("wrong") == role else unit)
        print("unit", role, workload, flush=True)
        return unit


class Manager(dbus.service.Object):
    @dbus.service.method("org.freedesktop.systemd1.Manager", "u", "o")
    def GetUnitByPID(self, pid):
        return dbus.ObjectPath(units[int(pid)])


dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.SystemBus()
names = [dbus.service.BusName(name, bus) for name in ("org.sluice.Launcher1", "org.freedesktop.systemd1")]
Launcher(bus, "/org/sluice/Launcher1")
Manager(bus, "/org/freedesktop/systemd1")
print("ready", flush=True)
GLib.MainLoop().run()
