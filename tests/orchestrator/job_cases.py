# SPDX-License-Identifier: Apache-2.0
"""Check, discover and spec."""
import fcntl
import hashlib
import json
import os

from harness import Run

OK = "say('CONNECTION_STATUS', 'connectionStatus', status='SUCCEEDED')\n"


def case_check():
    run = Run(kind="check", source="json.dump([open(option('config')).read(), sys.argv[1]], open(HERE + '/seen', 'w'))\n" + OK).go()
    body = run.succeeded()
    assert body["output"]["check"] == {"status": "succeeded"} and body["output"]["failures"] == []
    assert json.load(open(run.folder + "/seen"))[1] == "check"
    run.close()
    run = Run(kind="check", destination="say('CONNECTION_STATUS','connectionStatus',status='FAILED',message='no \\u00e9')").go()
    assert run.succeeded()["output"]["check"] == {"status": "failed", "message": "no é"}
    return run


def case_first_result_counts():
    run = Run(kind="check", source=OK + """
say('CONNECTION_STATUS', 'connectionStatus', status='FAILED', message='later')
put('noise'); log('INFO', 'after the end')
say("CONTROL", "control", type="CONNECTOR_CONFIG", emitted_at=1, connectorConfig={"config": {"t": 2}})
""").go()
    body = run.succeeded()
    assert body["output"]["check"] == {"status": "succeeded"}
    assert run.configs() == [{"source": {"t": 2}}] and "config" not in body["output"]
    assert run.said("sent more than one CONNECTION_STATUS")
    return run


def case_no_result():
    run = Run(kind="check", source="pass").go()
    run.failed("The source ended with exit code 0, but there was no result from check", origin="source")
    run.close()
    run = Run(kind="spec", source="put('{\"type\":\"SPEC\",\"spec\":5}')").go()
    run.failed("there was no result from spec")
    run.close()
    run = Run(kind="discover", source="out.write(b'{\"type\":\"CATALOG\",\"catalog\":{\"streams\"')").go()
    run.failed("its output stops in the middle of a message from discover")
    run.close()
    run = Run(kind="check", source="error('login failed', failure_type='config_error')").go()
    body = run.failed("login failed", origin="source")
    assert len(body["output"]["failures"]) == 1 and body["output"]["failures"][0]["failureType"] == "config_error"
    return run


def case_exit_code_wins():
    run = Run(kind="check", source=OK + "sys.exit(4)").go()
    body = run.failed("The source ended with exit code 4", origin="source")
    assert body["output"]["check"] == {"status": "succeeded"}
    return run


def case_deadline_fires():
    run = Run(kind="check", source=OK + "time.sleep(60)", conf={"job_timeout": "1s"}).go()
    run.failed("The source did not finish its check within 1 seconds", origin="source")
    assert run.took < 8
    run.close()
    run = Run(kind="discover", source="time.sleep(60)", deadlineSec=1).go()
    run.failed("The source did not finish its discover within 1 seconds")
    return run


def case_outputs_of_50_mb():
    """A check whose message is that long, and a spec, reach the user whole."""
    run = Run(kind="check", source="put(json.dumps({'type': 'CONNECTION_STATUS', 'connectionStatus': {'status': 'FAILED', "
                                   "'message': 'x' * 50_000_000}}))").go(90)
    assert len(run.succeeded()["output"]["check"]["message"]) == 50_000_000
    run.close()
    run = Run(kind="spec", source="put(json.dumps({'type': 'SPEC', 'spec': {'connectionSpecification': {}, 'x': 'y' * 50_000_000}}))").go(90)
    assert len(run.succeeded()["output"]["spec"]["x"]) == 50_000_000
    return run


def case_time_outs_of_all():
    for kind in ("check", "discover", "spec"):
        for side in ("source", "destination"):
            run = Run(kind=kind, **{side: "signal.signal(signal.SIGTERM, signal.SIG_DFL); time.sleep(60)"}, deadlineSec=1).go()
            run.failed(f"The {side} did not finish its {kind} within 1 seconds", origin=side)
            run.close()
    return run


def case_texts_of_the_connector():
    run = Run(kind="check", source="error('The table is locked', internal_message='E42', failure_type='transient_error'); sys.exit(1)").go()
    body = run.failed("The table is locked", "E42", origin="source")
    assert body["output"]["failures"][0]["failureType"] == "transient_error"
    return run


def case_spec_with_protocol_version():
    run = Run(kind="spec", destination="say('SPEC', 'spec', protocol_version='0.2.0', connectionSpecification={}, later=[1])").go()
    assert run.succeeded()["output"]["spec"] == {"protocol_version": "0.2.0", "connectionSpecification": {}, "later": [1]}
    return run


def case_discover_50_mb():
    run = Run(kind="discover", source="""
put('{"type":"CATALOG","catalog":{"later": 1.0, "streams":[')
""").go()
    run.failed("no result from discover")
    run.close()
    run = Run(kind="discover", source="""
streams = ",".join('{"name":"s%d","json_schema":{"x":"%s"}}' % (i, "y" * 10000) for i in range(5200))
put('{"type":"CATALOG","catalog":{"later": 1.0, "streams":[' + streams + ']}}')
""").go()
    catalog = run.succeeded()["output"]["catalog"]
    assert len(catalog["streams"]) == 5200 and len(catalog["streams"][5199]["json_schema"]["x"]) == 10000
    assert any(b'{"later": 1.0, "streams":[{"name":"s0"' in raw for _, raw in run.api.raw)
    return run


def case_discover_destination():
    run = Run(kind="discover", destination="say('DESTINATION_CATALOG', 'destination_catalog', operations=[])").go()
    assert run.succeeded()["output"]["catalog"] == {"operations": []}
    return run


def case_spec_needs_no_configuration():
    run = Run(kind="spec", source="""
assert sys.argv[1:] == ["spec"], sys.argv
say('SPEC', 'spec', connectionSpecification={"type": "object"})""")
    run.api.input["source"] = {"name": "x"}
    run.go()
    assert run.succeeded()["output"]["spec"] == {"connectionSpecification": {"type": "object"}}
    return run


def case_job_cancelled():
    run = Run(kind="check", source="time.sleep(60)").start()
    run.api.cancel = True
    run.wait(10)
    assert run.end()[0] == "cancel"
    return run


def case_folders_of_the_killed():
    run = Run(kind="check", source=OK)
    for name in ("killed", "alive"):
        os.makedirs(f"{run.folder}/run/{name}/source")
        open(f"{run.folder}/run/{name}/source/ctl", "w").close()
    alive = os.open(run.folder + "/run/alive", os.O_RDONLY)
    fcntl.flock(alive, fcntl.LOCK_EX)
    run.go().succeeded()
    assert os.listdir(run.folder + "/run") == ["alive"], os.listdir(run.folder + "/run")
    assert os.path.exists(run.folder + "/run/alive/source/ctl")
    os.close(alive)
    return run


SEEN = "json.dump([json.load(open(option('config'))), os.environ.get('AIRBYTE_ENABLE_UNSAFE_CODE')], open(HERE + '/seen', 'w'))\n"


def case_manifest():
    """It comes with the configuration, in whose place the user cannot put one; what comes back has it not."""
    said = 'say("CONTROL", "control", type="CONNECTOR_CONFIG", emitted_at=1, connectorConfig={"config": %s})\n'
    for components in [None, "print(1)\n"]:
        back = "dict(json.load(open(option('config'))), fresh=1)"
        run = Run(kind="check", source=SEEN + said % back + OK)
        side = run.api.input["source"]
        side["configuration"]["__injected_declarative_manifest"] = {"evil": True}
        side["configuration"]["__injected_components_py"] = "evil()"
        side["manifest"] = {"version": "6.1.0", "n": 1.5}
        if components:
            side.update(components=components, componentsSha256=hashlib.sha256(components.encode()).hexdigest())
        run.go().succeeded()
        seen, unsafe = json.load(open(run.folder + "/seen"))
        expected = {"password": "hunter22", "n": 1, "__injected_declarative_manifest": {"version": "6.1.0", "n": 1.5}}
        if components:
            expected.update(__injected_components_py=components,
                            __injected_components_py_checksums={"sha256": side["componentsSha256"]})
        assert seen == expected, seen
        assert unsafe == ("true" if components else None), unsafe
        assert run.configs() == [{"source": {"password": "hunter22", "n": 1, "fresh": 1}}], run.configs()
        if not components:
            run.close()
    return run


def case_manifest_with_other_code():
    """Code that is not what was consented to does not run, nor does anything else."""
    for sha256 in ["0" * 64, None]:
        run = Run(kind="check", source=SEEN + OK)
        run.api.input["source"].update(manifest={}, components="print(2)", componentsSha256=sha256)
        body = run.go().end()[1]
        text = json.dumps(body)
        assert "is not what the administrator has consented to" in text and "succeeded" not in text, text
        assert not os.path.exists(run.folder + "/seen")
        if sha256:
            run.close()
    return run
