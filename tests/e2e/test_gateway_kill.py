"""kill -9 at random moments: nothing acknowledged is lost, nothing durable is lost, no number names two events, and every
number that the vehicle declares is there or in a fold. VSOC_SEED repeats a run."""
import os
import random
import threading
import time

import pytest

from uplink_backend import Vehicle, event, wait_until

KILLS = 40


@pytest.fixture
def vehicle(tmp_path):
    v = Vehicle(tmp_path)
    yield v
    v.close()


def feed(path, rng, stop):
    """Writes events into the FIFO until told to stop, some alike and some not."""
    fd = os.open(path, os.O_RDWR)
    number = 0
    while not stop.is_set():
        kind = rng.randrange(4)
        if kind == 0:
            line = event(number)
        elif kind == 1:
            line = event(number, 'can.signal_out_of_range', can_id=3, signal='S%d' % rng.randrange(3), value=7)
        else:
            line = event(number, 'host.audit', process='p%d' % rng.randrange(6), text='x' * rng.randrange(80))
        try:
            os.write(fd, line.encode())
        except OSError:
            break
        number += 1
        time.sleep(rng.random() * 0.002)
    os.close(fd)
    return number


def test_forty_kills_lose_nothing(vehicle):
    seed = int(os.environ.get('VSOC_SEED', '20261120'))
    print('VSOC_SEED=%d' % seed)
    rng = random.Random(seed)
    os.mkfifo(vehicle.events)
    # The backend answers late, breaks off after taking a batch, or is busy, so that kills meet every state.
    moods = [None] * 6 + ['drop', (503, {'Retry-After': '1'}, {}), (500, {}, {})]
    mood = random.Random(seed + 1)
    vehicle.backend.behave = lambda n: mood.choice(moods)
    vehicle.configure(uplink_batch_events=20)
    stop = threading.Event()
    feeder = threading.Thread(target=feed, args=(vehicle.events, random.Random(seed + 2), stop), daemon=True)
    feeder.start()
    for _ in range(KILLS):
        vehicle.start()
        time.sleep(0.05 + rng.random() * 0.5)
        vehicle.kill()
    stop.set()
    feeder.join(10)
    vehicle.backend.behave = lambda n: None
    vehicle.start()
    assert wait_until(lambda: vehicle.log().count('"started"') >= 1)
    time.sleep(1)
    vehicle.kill(15)
    vehicle.start()
    ledger = vehicle.backend.ledger
    durable = max(line['seq_next'] for line in vehicle.told('durable'))
    assert wait_until(lambda: not ledger.missing() and max(ledger.next.values()) >= durable, 60), ledger.missing()[:10]
    assert vehicle.kill(15) == 0
    print('numbers %d, records %d, folded %d, sent twice %d, batches %d' %
          (max(ledger.next.values()) - 1, len(ledger.received), len(ledger.folded), ledger.duplicates, vehicle.backend.batches))
    assert ledger.problems == []
    assert len(ledger.next) == 1, 'the epoch rose although nothing was lost'
    assert not set(ledger.received) & set(ledger.folded)
    for line in vehicle.told('acked'):
        assert line['seq_next'] <= max(ledger.next.values())
    assert len(vehicle.told('acked')) > KILLS / 4 and ledger.count > 500
