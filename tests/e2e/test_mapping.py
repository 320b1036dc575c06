"""Logs of real products through their mappings: the lines are in the form that each product writes (names and addresses are
invented), the events are what a rule needs. And the whole way: log, events, pseudonyms as at the door, alerts (R-236)."""
import json
import subprocess

import pytest

VIN = 'WVWZZZ1KZAW000017'


def convert(binaries, root, product, lines, *more):
    text = ''.join((line if isinstance(line, str) else json.dumps(line)) + '\n' for line in lines)
    r = subprocess.run([binaries / 'vsoc', 'mapping', 'convert', '--mapping', root / 'content/mappings' / (product + '.yml'), '-', *more],
                       input=text, capture_output=True, text=True, timeout=60)
    return r.returncode, [json.loads(line) for line in r.stdout.splitlines()], json.loads(r.stderr.splitlines()[-1]), r.stderr


def keycloak(message, logger='org.keycloak.events', level='WARN'):
    return {'timestamp': '2026-11-20T10:00:00.414798073+01:00', 'sequence': 9510, 'loggerClassName': 'org.jboss.logging.Logger', 'loggerName': logger,
            'level': level, 'message': message, 'threadName': 'executor-thread-7', 'threadId': 69, 'mdc': {}, 'ndc': '', 'hostName': 'keycloak', 'processId': 81812}


KEYCLOAK = [
    (keycloak('type="LOGIN_ERROR", realmId="15b3", realmName="owners", clientId="owner-app", userId="4e2f", ipAddress="203.0.113.9", '
              'error="invalid_user_credentials", auth_method="openid-connect", username="bob@example.org"'),
     {'time': '2026-11-20T09:00:00.414798Z', 'type': 'backend.login', 'user': 'bob@example.org', 'result': 'failure',
      'reason': 'invalid_user_credentials', 'src_ip': '203.0.113.9', 'tenant': 'owner-app'}),
    (keycloak('type="LOGIN", realmId="15b3", clientId="owner-app", userId="4e2f", sessionId="25e6", ipAddress="203.0.113.9", username="bob@example.org"'),
     {'type': 'backend.login', 'user': '4e2f', 'result': 'success'}),
    # As older versions write it, without quotes.
    (keycloak('type=LOGIN_ERROR, realmId=master, clientId=security-admin-console, userId=null, ipAddress=192.0.2.7, error=user_not_found, username=eve'),
     {'type': 'backend.login', 'user': 'eve', 'result': 'failure', 'reason': 'user_not_found', 'src_ip': '192.0.2.7'}),
    (keycloak('operationType="CREATE", realmId="15b3", clientId="admin-cli", userId="aa01", ipAddress="192.0.2.7", resourceType="REALM_ROLE_MAPPING", '
              'resourcePath="users/4e2f/role-mappings/realm"'),
     {'type': 'backend.role_changed', 'operation': 'role_added', 'user': 'aa01', 'target': '4e2f', 'result': 'success'}),
    (keycloak('type="CODE_TO_TOKEN", realmId="15b3", clientId="owner-app", userId="4e2f", sessionId="25e6", ipAddress="203.0.113.9"'),
     {'type': 'backend.token_used', 'user': '4e2f', 'operation': 'CODE_TO_TOKEN'}),
    (keycloak('Keycloak 26.0.7 on JVM started in 4.2s', 'io.quarkus', 'INFO'), None),
]
NGINX = [
    ('203.0.113.9 - bob [20/Nov/2026:10:00:00 +0100] "GET /v1/vehicles/%s/status?full=1 HTTP/1.1" 403 153 "-" "App/7.1 (iOS 19)"' % VIN,
     {'time': '2026-11-20T09:00:00.000000Z', 'type': 'backend.api_call', 'vin': VIN, 'endpoint': '/v1/vehicles/{vin}/{resource}', 'status': '403',
      'user': 'bob', 'src_ip': '203.0.113.9', 'user_agent': 'App/7.1 (iOS 19)'}),
    ('203.0.113.9 - - [20/Nov/2026:10:00:00 +0000] "POST /v1/vehicles/%s/commands/unlock HTTP/2.0" 202 2 "-" "curl/8.5"' % VIN,
     {'type': 'backend.remote_command', 'vin': VIN, 'operation': 'unlock', 'result': 'success', 'tenant': 'owner_app'}),
    ('203.0.113.9 - - [20/Nov/2026:10:00:00 +0000] "GET /.env HTTP/1.1" 404 153 "-" "-"', {'type': 'backend.api_call', 'endpoint': 'other', 'status': '404'}),
    ('203.0.113.9 - - [20/Nov/2026:10:00:00 +0000] "\\x16\\x03\\x01" 400 157 "-" "-"', {'type': 'backend.waf_match', 'rule': 'no_http_request'}),
    ('10.0.0.3 - - [20/Nov/2026:10:00:00 +0000] "GET /health HTTP/1.1" 200 2 "-" "kube-probe/1.31"', None),
]
KONG = [
    ({'request': {'method': 'POST', 'uri': '/v1/vehicles/%s/commands/start' % VIN, 'url': 'https://api.example.org:8443/v1', 'size': 300,
                  'headers': {'user-agent': 'App/7.1', 'host': 'api.example.org'}, 'querystring': {}},
      'response': {'status': 202, 'size': 120, 'headers': {}}, 'client_ip': '203.0.113.9', 'started_at': 1780000000123, 'tries': [{'ip': '10.0.0.4', 'port': 80}],
      'consumer': {'id': 'c-1', 'username': 'bob'}, 'authenticated_entity': {'id': 'cred-1', 'consumer_id': 'c-1'},
      'service': {'name': 'owner-api', 'id': 's-1'}, 'latencies': {'request': 20, 'kong': 2, 'proxy': 18}},
     {'time': '2026-05-28T20:26:40.123000Z', 'type': 'backend.remote_command', 'vin': VIN, 'operation': 'start', 'user': 'bob', 'result': 'success', 'tenant': 'owner_app'}),
    ({'request': {'method': 'GET', 'uri': '/v1/vehicles/%s' % VIN, 'headers': {'user-agent': 'python-requests/2.31'}}, 'response': {'status': 401},
      'client_ip': '203.0.113.9', 'started_at': 1780000000123, 'service': {'name': 'owner-api'}},
     {'type': 'backend.api_call', 'vin': VIN, 'endpoint': '/v1/vehicles/{vin}', 'status': '401', 'src_ip': '203.0.113.9', 'user_agent': 'python-requests/2.31'}),
]
HAWKBIT = [
    ('2026-11-20T22:10:00.123Z  INFO 1 --- [nio-8080-exec-3] AUDIT.ROLLOUT                            : [Rollout] User: alice, AccessContext: DEFAULT - Start rollout 17',
     {'time': '2026-11-20T22:10:00.123000Z', 'type': 'backend.ota_server', 'operation': 'rollout_started', 'campaign': 'rollout 17', 'user': 'alice', 'tenant': 'DEFAULT',
      'result': 'success'}),
    ('2026-11-20T10:10:00.123+01:00  WARN 1 --- [nio-8080-exec-3] AUDIT.ARTIFACT : [Artifact] User: alice, AccessContext: DEFAULT - Delete artifact 4',
     {'time': '2026-11-20T09:10:00.123000Z', 'type': 'backend.ota_server', 'operation': 'artifact_changed', 'result': 'failure'}),
    ('2026-11-20T22:10:00.123Z  INFO 1 --- [           main] o.e.hawkbit.app.Start                    : Started Start in 9.1 seconds', None),
]
EJBCA_LINE = ('2026-11-20 14:49:22,928 INFO  [org.cesecore.audit.impl.log4j.Log4jDevice] (default task-2) 2026-11-20 14:49:22+02:00;CERT_CREATION;%s;CERTIFICATE;CORE;'
              'CN=ra-line7,O=Example AB,C=SE;-578467253;4B2387786EFC0F2F673336A61EC8E5AC;%s;subjectdn=CN=%s,O=Example AB,C=SE;certprofile=7;issuancerevocationreason=-1;cert=MIIC6Q==')
EJBCA = [
    (EJBCA_LINE % ('SUCCESS', VIN, VIN),
     {'time': '2026-11-20T12:49:22.000000Z', 'type': 'backend.certificate_issued', 'vin': VIN, 'operation': 'issued', 'serial': '4B2387786EFC0F2F673336A61EC8E5AC',
      'profile': '7', 'role': 'registration_authority', 'result': 'success'}),
    (EJBCA_LINE % ('FAILURE', 'server-7', 'x'), {'type': 'backend.certificate_issued', 'operation': 'refused', 'result': 'failure'}),
    ('2026-11-20 12:47:51,001 INFO  [org.cesecore.audit.impl.log4j.Log4jDevice] (main) 2026-11-20 12:47:51+01:00;EJBCA_STARTING;SUCCESS;SERVICE;EJBCA;init;;host;;msg=Init', None),
]
STEP_CA = [
    ({'level': 'info', 'time': '2026-11-20T10:00:00Z', 'msg': '', 'name': 'ca', 'method': 'POST', 'path': '/1.0/sign', 'status': 201, 'remote-address': '192.0.2.7',
      'serial': '3101', 'subject': VIN, 'issuer': 'Vehicle Issuing CA', 'valid-from': '2026-11-20T09:59:00Z', 'valid-to': '2046-11-15T09:59:00Z', 'provisioner': 'alice (k1)',
      'public-key': 'ECDSA P-256', 'certificate': 'MIIB', 'duration-ns': 5},
     {'type': 'backend.certificate_issued', 'vin': VIN, 'serial': '3101', 'validity_days': '7300', 'profile': 'vehicle_gateway', 'user': 'alice (k1)', 'role': None, 'operation': 'issued'}),
    ({'level': 'info', 'time': '2026-11-20T10:00:00Z', 'msg': '', 'name': 'ca', 'method': 'GET', 'path': '/health', 'status': 200}, None),
]
PRODUCTS = {'keycloak': KEYCLOAK, 'nginx_access': NGINX, 'kong': KONG, 'hawkbit': HAWKBIT, 'ejbca': EJBCA, 'step_ca': STEP_CA}


@pytest.mark.parametrize('product', PRODUCTS)
def test_a_products_lines_become_events(binaries, root, product):
    cases = PRODUCTS[product]
    code, events, summary, err = convert(binaries, root, product, [line for line, _ in cases])
    wanted = [event for _, event in cases if event is not None]
    assert code == 0, err
    assert len(events) == len(wanted), (events, err)
    for got, want in zip(events, wanted):
        assert {k: got.get(k) for k in want} == want, got
    assert summary == {'lines': len(cases), 'events': len(wanted), 'ignored': len(cases) - len(wanted), 'unmapped': 0, 'broken': 0}


def test_every_mapping_that_is_shipped_is_tested_and_good(binaries, root):
    files = sorted(p.stem for p in (root / 'content/mappings').glob('*.yml'))
    assert files == sorted(PRODUCTS)
    r = subprocess.run([binaries / 'vsoc', 'mapping', 'check', *sorted((root / 'content/mappings').glob('*.yml'))], capture_output=True, timeout=60)
    assert r.returncode == 0, r.stderr


def test_lines_not_understood_are_told_kept_here_and_not_sent(binaries, root, tmp_path):
    rejects = tmp_path / 'rejects.log'
    lines = [keycloak('type="NEW_IN_27", realmId="15b3", ipAddress="203.0.113.9", username="carol"'), 'no json, but user=carol', KEYCLOAK[0][0]]
    code, events, summary, err = convert(binaries, root, 'keycloak', lines, '--rejects', rejects)
    assert code == 1
    assert (summary['unmapped'], summary['broken'], summary['events']) == (1, 1, 1)
    assert [e['type'] for e in events] == ['log.unmapped', 'log.unmapped', 'backend.login']
    assert events[0]['line'] == 1 and 'username' in events[0]['names'].split()
    assert 'carol' not in json.dumps(events)
    assert rejects.read_text().count('carol') == 2
    assert '-:1: unmapped' in err and '-:2: broken' in err


@pytest.mark.parametrize('text, said', [('mapping: x\nformat: xml\n', ':2: '), ('mapping: [\n', 'no YAML'), (None, 'No such file')])
def test_bad_mappings_are_named(binaries, tmp_path, text, said):
    path = tmp_path / 'bad.yml'
    if text is not None:
        path.write_text(text)
    r = subprocess.run([binaries / 'vsoc', 'mapping', 'check', path], capture_output=True, text=True, timeout=60)
    assert r.returncode == 2 and str(path) in r.stderr and said in r.stderr


@pytest.mark.parametrize('args', [[], ['convert'], ['convert', '-'], ['check'], ['bake'], ['convert', '--mapping', 'x', '-', '--feed', 'y']])
def test_bad_usage_says_how(binaries, args):
    r = subprocess.run([binaries / 'vsoc', 'mapping', *args], capture_output=True, text=True, timeout=60)
    assert r.returncode == 2 and 'usage:' in r.stderr


def test_from_a_log_to_an_alert_without_a_name(binaries, root, tmp_path):
    """Thirty accounts tried from one address, one of them opened: the alerts hold pseudonyms, and the same account has the same."""
    key = tmp_path / 'pseudonym.key'
    key.write_text('42' * 32 + '\n')
    lines = []
    for i in range(30):
        m = keycloak('type="LOGIN_ERROR", clientId="owner-app", ipAddress="203.0.113.9", error="invalid_user_credentials", username="user%d@example.org"' % i)
        lines.append(dict(m, timestamp='2026-11-20T10:00:%02dZ' % i))
    lines.append(dict(keycloak('type="LOGIN", clientId="owner-app", userId="user7@example.org", sessionId="s", ipAddress="203.0.113.9"'), timestamp='2026-11-20T10:01:00Z'))
    code, events, _, err = convert(binaries, root, 'keycloak', lines, '--pseudonym-key', key, '--feed', 'keycloak')
    assert code == 0, err
    assert len(events) == 31 and 'example.org' not in json.dumps(events)
    assert events[30]['user'] == events[7]['user'] and len({e['user'] for e in events}) == 30
    assert len({e['vin'] for e in events}) == 1 and all(len(e['vin']) == 32 for e in events)
    path = tmp_path / 'events.jsonl'
    path.write_text(''.join(json.dumps(e) + '\n' for e in events))
    r = subprocess.run([binaries / 'vsoc', 'rule', 'backtest', '--rules', root / 'content/rules', '--events', path], capture_output=True, text=True, timeout=60)
    alerts = [json.loads(line) for line in r.stdout.splitlines()]
    assert [(a['rule'], a['group']) for a in alerts] == [('credential_stuffing', {'src_ip': '203.0.113.9'}), ('credential_stuffing_success', {'src_ip': '203.0.113.9'})]


def test_a_month_of_backend_logs_finds_what_was_planted_and_nothing_else(binaries, root, tmp_path):
    """The simulator's raw logs of three products, through their mappings, by the rules: attacks found, look-alikes and a month of
    ordinary work not (R-141)."""
    vsoc = binaries / 'vsoc'
    subprocess.run([vsoc, 'pki', 'init', tmp_path / 'pki'], check=True, capture_output=True, timeout=60)
    events, truth = '', []
    for kind in ('keycloak', 'kong', 'hawkbit'):
        log, told = tmp_path / (kind + '.log'), tmp_path / (kind + '.truth')
        r = subprocess.run([vsoc, 'sim', 'logs', '--kind', kind, '--out', log, '--truth', told, '--pki', tmp_path / 'pki', '--vehicles', '200'], capture_output=True, text=True, timeout=60)
        assert r.returncode == 0, r.stderr
        truth += [json.loads(line) for line in told.read_text().splitlines()]
        r = subprocess.run([vsoc, 'mapping', 'convert', '--mapping', root / 'content/mappings' / (kind + '.yml'), log, '--pseudonym-key', tmp_path / 'pki/pseudonym.key', '--feed', kind],
                           capture_output=True, text=True, timeout=60)
        assert r.returncode == 0, r.stderr
        events += r.stdout
    path = tmp_path / 'events.jsonl'
    path.write_text(events)
    r = subprocess.run([vsoc, 'rule', 'backtest', '--rules', root / 'content/rules', '--events', path], capture_output=True, text=True, timeout=120)
    assert r.returncode == 0, r.stderr
    found = sorted(json.loads(line)['rule'] for line in r.stdout.splitlines())
    planted = [t for t in truth if not t['lookalike']]
    assert any(t['lookalike'] for t in truth)
    assert found == sorted(rule for t in planted for rule in t['rules'])


def test_a_feed_has_a_certificate_of_its_own(binaries, tmp_path):
    subprocess.run([binaries / 'vsoc', 'pki', 'init', tmp_path / 'pki'], check=True, capture_output=True, timeout=60)
    r = subprocess.run([binaries / 'vsoc', 'pki', 'feed', tmp_path / 'pki', 'keycloak', tmp_path / 'feed'], capture_output=True, text=True, timeout=60)
    assert r.returncode == 0, r.stderr
    said = json.loads(r.stdout)
    shown = subprocess.run(['openssl', 'x509', '-noout', '-subject', '-in', said['cert']], capture_output=True, text=True, check=True).stdout
    assert 'feed:keycloak' in shown
    for bad in ('Key Cloak', '', 'a' * 41, '../x'):
        r = subprocess.run([binaries / 'vsoc', 'pki', 'feed', tmp_path / 'pki', bad, tmp_path / 'bad'], capture_output=True, text=True, timeout=60)
        assert r.returncode == 2 and 'name' in r.stderr
