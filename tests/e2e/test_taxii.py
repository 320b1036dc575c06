"""`vsoc intel pull` against the OASIS reference TAXII server, and against one that misbehaves.

R-240, R-244: discovery, API root, collection, pages, authentication, only what is new at the second pull; 503 with
Retry-After, cut and repeated pages, wrong media types."""
import base64
import http.server
import json
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

import pytest

COLLECTION = '91a7b528-80eb-42ed-a74d-c6fbd5a26116'


def indicator(n, modified='2026-01-01T00:00:00.000Z', value=None):
    return {'type': 'indicator', 'spec_version': '2.1', 'id': 'indicator--%08d-0000-4000-8000-000000000000' % n,
            'created': '2026-01-01T00:00:00.000Z', 'modified': modified, 'pattern_type': 'stix', 'valid_from': '2026-01-01T00:00:00Z',
            'pattern': "[ipv4-addr:value = '%s']" % (value or '10.0.%d.%d' % (n // 250, n % 250)), 'name': 'indicator %d' % n}


class Desk:
    def __init__(self, binaries, place):
        self.binaries, self.place = binaries, place

    def feed(self, url, **more):
        keys = dict(name='test', url=url, wait_ms=5, timeout_s=10, **more)
        (self.place / 'feed.yaml').write_text(''.join('%s: %s\n' % (k, json.dumps(v)) for k, v in keys.items()))

    def pull(self, code=0):
        done = subprocess.run([str(self.binaries / 'vsoc'), 'intel', 'pull', '--feed', str(self.place / 'feed.yaml'), '--data',
                               str(self.place / 'data')], capture_output=True, text=True, timeout=120)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout), done.stderr

    def rows(self, sql):
        with sqlite3.connect(self.place / 'data/state/state.db') as db:
            return db.execute(sql).fetchall()


@pytest.fixture
def desk(binaries, tmp_path):
    return Desk(binaries, tmp_path)


# ---- the reference server

@pytest.fixture
def medallion(tmp_path, free_port):
    pytest.importorskip('medallion')
    first = [dict(indicator(n)) for n in range(25)]
    content = {
        '/discovery': {'title': 'test', 'default': 'http://127.0.0.1:%d/share/' % free_port, 'api_roots': ['http://127.0.0.1:%d/share/' % free_port]},
        'share': {'information': {'title': 'share', 'versions': ['application/taxii+json;version=2.1'], 'max_content_length': 9765625},
                 'status': [],
                 'collections': [{'id': COLLECTION, 'title': 'Vehicles', 'can_read': True, 'can_write': True,
                                  'media_types': ['application/stix+json;version=2.1'], 'objects': [], 'manifest': []},
                                 {'id': '52892447-4d7e-4f70-b94d-d7f22742ff63', 'title': 'Other', 'can_read': True, 'can_write': False,
                                  'media_types': ['application/stix+json;version=2.1'], 'objects': [], 'manifest': []}]}}
    (tmp_path / 'content.json').write_text(json.dumps(content))
    (tmp_path / 'medallion.json').write_text(json.dumps({
        'backend': {'module': 'medallion.backends.memory_backend', 'module_class': 'MemoryBackend', 'filename': str(tmp_path / 'content.json')},
        'users': {'reader': 'secret'}, 'taxii': {'max_page_size': 10}}))
    server = subprocess.Popen([sys.executable, '-m', 'medallion.scripts.run', '--host', '127.0.0.1', '--port', str(free_port),
                               str(tmp_path / 'medallion.json')], stdout=subprocess.DEVNULL, stderr=(tmp_path / 'medallion.log').open('w'))

    class Server:
        root = 'http://127.0.0.1:%d' % free_port
        log = tmp_path / 'medallion.log'
        objects = first

        @staticmethod
        def call(path, body=None):
            rq = urllib.request.Request(Server.root + path, data=body and json.dumps(body).encode(),
                                        headers={'Accept': 'application/taxii+json;version=2.1', 'Content-Type': 'application/taxii+json;version=2.1',
                                                 'Authorization': 'Basic ' + base64.b64encode(b'reader:secret').decode()})
            with urllib.request.urlopen(rq, timeout=10) as answer:
                return json.load(answer)

        @staticmethod
        def add(objects):
            Server.call('/share/collections/%s/objects/' % COLLECTION, {'objects': objects})

    for _ in range(200):
        try:
            Server.call('/taxii2/')
            break
        except OSError:
            assert server.poll() is None, Server.log.read_text()
            time.sleep(.05)
    Server.add(first)
    yield Server
    server.terminate()
    server.wait(10)


def test_reference_server(desk, medallion):
    (desk.place / 'password').write_text('secret\n')
    desk.feed(medallion.root + '/taxii2/', collection='Vehicles', user='reader', password_file='password', page_size=10)
    got, _ = desk.pull()
    assert got['ok'] and got['pages'] == 3 and got['objects'] == 25 and got['added'] == 25
    assert desk.rows('SELECT count(*), min(source) FROM intel_indicator') == [(25, 'test')]
    got, _ = desk.pull()
    assert got['ok'] and got['objects'] == 0  # nothing is new
    time.sleep(.01)
    medallion.add([indicator(3, '2026-02-01T00:00:00.000Z', '10.9.9.9'), indicator(99)])
    got, _ = desk.pull()
    assert got['ok'] and got['added'] == 1 and got['updated'] == 1
    assert desk.rows("SELECT pattern FROM intel_indicator WHERE id LIKE 'indicator--00000003%'") == [("[ipv4-addr:value = '10.9.9.9']",)]


def test_reference_server_refuses(desk, medallion):
    (desk.place / 'password').write_text('wrong')
    desk.feed(medallion.root + '/taxii2/', collection='Vehicles', user='reader', password_file='password')
    assert '401' in desk.pull(1)[1]
    (desk.place / 'password').write_text('secret')
    desk.feed(medallion.root + '/share/', user='reader', password_file='password')
    assert 'name one' in desk.pull(1)[1]
    desk.feed(medallion.root + '/share/', collection='Nothing', user='reader', password_file='password')
    assert 'no such collection' in desk.pull(1)[1]
    assert 'no such collection' in desk.rows('SELECT fault FROM intel_feed')[0][0]


# ---- a server that misbehaves

class Mock:
    """Answers the n-th request by the n-th entry of the script; an entry is a function of the handler."""

    def __init__(self, script):
        self.script, self.seen = list(script), []
        mock = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                mock.seen.append(self.path)
                (mock.script.pop(0) if mock.script else page([], None))(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = 'http://127.0.0.1:%d/collections/x/' % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def page(objects, following, added='2026-03-01T00:00:00.000001Z', first='2026-01-01T00:00:00.000001Z', media='application/taxii+json;version=2.1', cut=0, status=200, retry=None):
    def answer(handler):
        body = {'objects': objects} if objects else {}
        if following:
            body.update(more=True, next=following)
        text = json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header('Content-Type', media)
        handler.send_header('X-TAXII-Date-Added-First', first)
        handler.send_header('X-TAXII-Date-Added-Last', added)
        handler.send_header('Content-Length', str(len(text)))
        if retry is not None:
            handler.send_header('Retry-After', str(retry))
        handler.end_headers()
        handler.wfile.write(text[:len(text) - cut])
        handler.close_connection = True
    return answer


@pytest.fixture
def mock():
    started = []

    def start(*script):
        started.append(Mock(script))
        return started[-1]
    yield start
    for m in started:
        m.close()


def test_busy_server_is_tried_again(desk, mock):
    m = mock(page([], None, status=503, retry=0), page([indicator(1)], None, status=503), page([indicator(1)], 'b'),
             page([], None, status=429), page([indicator(2)], None))
    desk.feed(m.url)
    got, _ = desk.pull()
    assert got['retries'] == 3 and got['pages'] == 2 and got['added'] == 2


def test_a_server_that_stays_busy(desk, mock):
    m = mock(*[page([], None, status=503)] * 9)
    desk.feed(m.url)
    got, err = desk.pull(1)
    assert got['requests'] == 5 and '503' in err


def test_cut_page_is_fetched_again(desk, mock):
    m = mock(page([indicator(1)], None, cut=20), page([indicator(1)], None))
    desk.feed(m.url)
    assert desk.pull()[0]['added'] == 1


def asked(m):
    return [urllib.parse.parse_qs(urllib.parse.urlparse(p).query) for p in m.seen]


def test_broken_pull_resumes(desk, mock):
    """From the first time of the last page that was stored: what shares its last time may stand on the next one."""
    t = ['2026-03-0%dT00:00:00.000001Z' % n for n in range(1, 9)]
    m = mock(page([indicator(1)], 'x', first=t[1], added=t[2]), page([indicator(2)], 'x', first=t[2], added=t[2]),
             page([indicator(3)], None, media='text/html'),
             page([indicator(2)], 'y', first=t[2], added=t[3]), page([indicator(3)], None, first=t[3], added=t[4]), page([], None))
    desk.feed(m.url)
    assert 'taxii+json' in desk.pull(1)[1]
    assert desk.rows('SELECT count(*) FROM intel_indicator') == [(2,)]
    got, _ = desk.pull()
    assert got['added'] == 1 and got['unchanged'] == 1
    assert [(q.get('next'), q.get('added_after')) for q in asked(m)] == [
        (None, None), (['x'], None), (['x'], None), (None, [t[1]]), (['y'], [t[1]])]
    desk.pull()
    assert asked(m)[-1]['added_after'] == [t[4]]


def test_the_same_page_again_and_again(desk, mock):
    m = mock(page([indicator(1)], 'a'), page([indicator(2)], 'a'), page([indicator(2)], 'a'), page([indicator(2)], 'a'))
    desk.feed(m.url)
    got, err = desk.pull(1)
    assert 'came twice' in err and got['pages'] == 2


def test_broken_object_in_a_page(desk, mock):
    bad = dict(indicator(2), valid_from='yesterday')
    desk.feed(mock(page([indicator(1), bad, indicator(3)], None)).url)
    got, err = desk.pull(1)
    assert got['ok'] and got['added'] == 2 and got['faulty'] == 1 and 'object 2 of the page' in err and 'valid_from' in err


def test_credentials_stay_off_plain_http(desk):
    (desk.place / 'token').write_text('t')
    desk.feed('http://taxii.example/taxii2/', token_file='token')
    assert 'https' in desk.pull(1)[1]
