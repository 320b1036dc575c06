"""What a Sigma rule means on an event, by pySigma's parser and a direct walk over its tree. Shares nothing with ours but
the specification and docs/rules.md: slow, plain, one function per kind of value."""
import datetime
import ipaddress
import re

from sigma.collection import SigmaCollection
from sigma.conditions import (ConditionAND, ConditionFieldEqualsValueExpression, ConditionNOT, ConditionOR,
                              ConditionValueExpression)
from sigma.processing.pipeline import ProcessingPipeline
from sigma.rule import SigmaRule
from sigma.types import (CompareOperators, SigmaBool, SigmaCasedString, SigmaCIDRExpression, SigmaCompareExpression,
                         SigmaExists, SigmaExpansion, SigmaFieldReference, SigmaNull, SigmaNumber, SigmaRegularExpression,
                         SigmaRegularExpressionFlag, SigmaString, SigmaTimestampPart, SpecialChars, TimestampPart)

FLAGS = {SigmaRegularExpressionFlag.IGNORECASE: re.I, SigmaRegularExpressionFlag.MULTILINE: re.M,
         SigmaRegularExpressionFlag.DOTALL: re.S}


def flatten(event, prefix=''):
    """{name: [values]}: nested objects by dotted names, every element of an array a value of its own."""
    out = {}
    for key, value in event.items():
        name = prefix + key
        if isinstance(value, dict) and value:
            for k, v in flatten(value, name + '.').items():
                out.setdefault(name + k[len(name):], []).extend(v)
        elif isinstance(value, (list, dict)):
            for item in value or [None]:
                if isinstance(item, dict) and item:
                    for k, v in flatten(item, name + '.').items():
                        out.setdefault(k, []).extend(v)
                else:
                    out.setdefault(name, []).append(item if not isinstance(item, (list, dict)) else None)
        else:
            out.setdefault(name, []).append(value)
    return out


def as_text(v):
    if isinstance(v, bool):
        return 'true' if v else 'false'
    return str(v)


def string_regex(value):
    out = ''
    for part in value.s:
        if part == SpecialChars.WILDCARD_MULTI:
            out += '.*'
        elif part == SpecialChars.WILDCARD_SINGLE:
            out += '.'
        else:
            out += re.escape(part)
    return re.compile(out, re.S | (0 if isinstance(value, SigmaCasedString) else re.I))


def number_of(v):
    if isinstance(v, bool):
        return None
    try:
        return float(v)
    except (TypeError, ValueError):
        return None


def compare(op, a, b):
    return {CompareOperators.LT: a < b, CompareOperators.LTE: a <= b, CompareOperators.GT: a > b,
            CompareOperators.GTE: a >= b}[op]


def reference(value, v, event):
    a = as_text(v).lower()
    for other in event.get(value.field, []):
        if other is None:
            continue
        b = as_text(other).lower()
        if value.starts_with and value.ends_with:
            hit = b in a
        elif value.starts_with:
            hit = a.startswith(b)
        else:
            hit = a.endswith(b) if value.ends_with else a == b
        if hit:
            return True
    return False


def time_of(v):
    """RFC 3339, or microseconds since 1970; parts are those of UTC."""
    if isinstance(v, int) and not isinstance(v, bool) and v >= 0:
        return datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(microseconds=v)
    if isinstance(v, str) and re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)', v):
        return datetime.datetime.fromisoformat(v.replace('Z', '+00:00')).astimezone(datetime.timezone.utc)
    return None


def time_part(part, at):
    return {TimestampPart.MINUTE: at.minute, TimestampPart.HOUR: at.hour, TimestampPart.DAY: at.day,
            TimestampPart.WEEK: at.isocalendar()[1], TimestampPart.MONTH: at.month, TimestampPart.YEAR: at.year}[part]


def value_matches(value, v, event):
    """One value of the rule on one value of the event, which is there and not null."""
    if isinstance(value, SigmaExpansion):
        return any(value_matches(x, v, event) for x in value.values)
    if isinstance(value, SigmaFieldReference):
        return reference(value, v, event)
    if isinstance(value, SigmaString):
        return string_regex(value).fullmatch(as_text(v)) is not None
    if isinstance(value, SigmaTimestampPart):
        at = time_of(v)
        return at is not None and time_part(value.timestamp_part, at) == value.number
    if isinstance(value, SigmaNumber):
        return as_text(v) == str(value) or (not isinstance(v, (str, bool)) and v == value.number)
    if isinstance(value, SigmaBool):
        return as_text(v).lower() == ('true' if value.boolean else 'false')
    if isinstance(value, SigmaRegularExpression):
        flags = 0
        for flag in value.flags:
            flags |= FLAGS[flag]
        return re.search(str(value.regexp), as_text(v), flags) is not None
    if isinstance(value, SigmaCIDRExpression):
        try:
            return ipaddress.ip_address(as_text(v)) in value.network
        except (ValueError, TypeError):
            return False
    if isinstance(value, SigmaCompareExpression):
        if isinstance(value.number, SigmaTimestampPart):
            at = time_of(v)
            return at is not None and compare(value.op, time_part(value.number.timestamp_part, at), value.number.number)
        number = number_of(v)
        return number is not None and compare(value.op, number, float(value.number.number))
    raise NotImplementedError(type(value))


def field_matches(field, value, event):
    values = event.get(field)
    if isinstance(value, SigmaExists):
        return (values is not None) == value.exists
    if isinstance(value, SigmaNull):
        return values is None or None in values
    return any(value_matches(value, v, event) for v in values or [] if v is not None)


def keyword_matches(value, event):
    for values in event.values():
        for v in values:
            if v is None:
                continue
            if isinstance(value, SigmaString):
                if string_regex(value).search(as_text(v)):
                    return True
            elif isinstance(value, SigmaNumber):
                if str(value) in as_text(v):
                    return True
            elif isinstance(value, SigmaExpansion):
                if any(keyword_matches(x, {'': [v]}) for x in value.values):
                    return True
            elif value_matches(value, v, event):
                return True
    return False


def holds(node, event):
    if isinstance(node, ConditionAND):
        return all(holds(n, event) for n in node.args)
    if isinstance(node, ConditionOR):
        return any(holds(n, event) for n in node.args)
    if isinstance(node, ConditionNOT):
        return not holds(node.args[0], event)
    if isinstance(node, ConditionFieldEqualsValueExpression):
        return field_matches(node.field, node.value, event)
    if isinstance(node, ConditionValueExpression):
        return keyword_matches(node.value, event)
    raise NotImplementedError(type(node))


def parse(text):
    return SigmaRule.from_yaml(text)


def parse_all(text, variables=None):
    """Rules of a file with several documents, filters applied and placeholders replaced: {name: rule}."""
    rules = SigmaCollection.from_yaml(text).rules
    if variables:
        pipeline = ProcessingPipeline.from_dict({'name': 'v', 'priority': 1, 'vars': variables,
                                                 'transformations': [{'type': 'value_placeholders'}]})
        for rule in rules:
            pipeline.apply(rule)
    return {str(r.name): r for r in rules}


def rule_matches(rule, event):
    event = flatten(event)
    return any(holds(c.parsed, event) for c in rule.detection.parsed_condition)
