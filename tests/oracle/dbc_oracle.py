"""What cantools says about a network description and a frame, in the shape that `vsoc dbc` prints.

cantools decodes a message as one run of bits, which only works when signals neither overlap nor leave the message (its
strict mode). So raw values are taken signal by signal, each from a message of its own; which signals are there
(multiplexing, truncation) is taken from the whole message where it is strict."""
import math

import cantools
from cantools.database.can import Message, Signal
from cantools.database.errors import DecodeError, Error


def load(path_or_text):
    """The database as cantools reads it without its strict mode, or the exception that it refuses the file with."""
    data = path_or_text.read_bytes() if hasattr(path_or_text, 'read_bytes') else path_or_text
    try:
        text = data.decode('utf-8-sig')
    except UnicodeDecodeError:
        text = data.decode('cp1252', errors='replace')
    try:
        return cantools.database.load_string(text, 'dbc', strict=False)
    except Exception as refusal:  # cantools has no common base of what it raises for a bad file
        return refusal


def last_messages(db):
    """The message that counts for each identifier: of several the last."""
    return {(m.frame_id, bool(m.is_extended_frame)): m for m in db.messages}


def first_bit(s):
    return s.start if s.byte_order == 'little_endian' else 8 * (s.start // 8) + 7 - s.start % 8


def fits(s, length):
    return first_bit(s) + s.length <= 8 * length


def is_strict(m):
    try:
        m.refresh(strict=True)
        return True
    except Error:
        return False
    finally:
        m.refresh(strict=False)


def raw(s, data):
    alone = Signal('s', s.start, s.length, byte_order=s.byte_order, is_signed=s.is_signed,
                   conversion=cantools.database.conversion.BaseConversion.factory(is_float=s.conversion.is_float))
    return Message(0, 'm', len(data), [alone], strict=False).decode(data, scaling=False, decode_choices=False)['s']


def number(v):
    """As JSON can have it."""
    return None if isinstance(v, float) and not math.isfinite(v) else v


def signal(s, data):
    """One decoded signal as vsoc prints it."""
    value = raw(s, data)
    one = {'name': s.name, 'raw': number(value), 'value': number(s.conversion.raw_to_scaled(value, False)),
           'unit': s.unit or ''}
    if s.length > 64:
        one['raw'], one['value'] = '0x%0*x' % (-(-s.length // 4), value & ((1 << s.length) - 1)), None
    elif s.conversion.choices and isinstance(one['raw'], (int, float)):
        text = s.conversion.choices.get(int(value))
        if text is not None:
            one['text'] = str(text)
    return one


def decode(m, strict, data):
    """(names that are there, or None when cantools cannot tell; True when a multiplexer selects nothing)."""
    if not strict:
        there = None if any(s.multiplexer_ids for s in m.signals) else {s.name for s in m.signals if fits(s, len(data))}
        return there, False
    try:
        return set(m.decode(data, scaling=False, decode_choices=False, allow_truncated=True)), False
    except DecodeError as e:
        assert 'expected multiplexer id' in str(e), e
        return None, True
