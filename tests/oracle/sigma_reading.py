"""What a Sigma rule means on a flat event, by pySigma's parser and a direct walk over its tree. Shares nothing with ours
but the specification."""
import ipaddress
import re

from sigma.conditions import (ConditionAND, ConditionFieldEqualsValueExpression, ConditionNOT, ConditionOR,
                              ConditionValueExpression)
from sigma.rule import SigmaRule
from sigma.types import (CompareOperators, SigmaBool, SigmaCasedString, SigmaCIDRExpression, SigmaCompareExpression,
                         SigmaExists, SigmaExpansion, SigmaFieldReference, SigmaNull, SigmaNumber, SigmaRegularExpression,
                         SigmaRegularExpressionFlag, SigmaString, SpecialChars)

FLAGS = {SigmaRegularExpressionFlag.IGNORECASE: re.I, SigmaRegularExpressionFlag.MULTILINE: re.M,
         SigmaRegularExpressionFlag.DOTALL: re.S}


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
    other = event.get(value.field)
    if other is None or v is None:
        return False
    a, b = as_text(v).lower(), as_text(other).lower()
    if value.starts_with and value.ends_with:
        return b in a
    if value.starts_with:
        return a.startswith(b)
    return a.endswith(b) if value.ends_with else a == b


def value_matches(value, v, event):
    """One value of the rule on one value of the event, which is there and not null."""
    if isinstance(value, SigmaExpansion):
        return any(value_matches(x, v, event) for x in value.values)
    if isinstance(value, SigmaString):
        return string_regex(value).fullmatch(as_text(v)) is not None
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
        number = number_of(v)
        return number is not None and compare(value.op, number, float(value.number.number))
    raise NotImplementedError(type(value))


def field_matches(field, value, event):
    if isinstance(value, SigmaExists):
        return (field in event) == value.exists
    if isinstance(value, SigmaNull):
        return event.get(field) is None
    v = event.get(field)
    if v is None:
        return False
    if isinstance(value, SigmaFieldReference):
        return reference(value, v, event)
    return value_matches(value, v, event)


def keyword_matches(value, event):
    for v in event.values():
        if v is None:
            continue
        if isinstance(value, SigmaString):
            pattern = string_regex(value)
            if pattern.search(as_text(v)):
                return True
        elif isinstance(value, SigmaNumber):
            if str(value) in as_text(v):
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


def rule_matches(rule, event):
    return any(holds(c.parsed, event) for c in rule.detection.parsed_condition)
