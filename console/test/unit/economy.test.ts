import { test } from 'node:test';
import assert from 'node:assert/strict';
import { emptyDraft, fromProposal, sentence, severitiesWord, toRequest } from '../../src/features/economy/draft';

test('a draft is sent without its empty rows, with its severities among the matchers', () => {
  const draft = { ...emptyDraft(false), reason: '  brakes  ', matchers: [{ field: 'rule', op: 'is' as const, value: ' storm ' }, { field: 'model', op: 'is' as const, value: '  ' }] };
  const request = toRequest(draft);
  assert.deepEqual(request.matchers.map((m) => `${m.field}=${m.value}`), ['rule=storm', 'severity=info', 'severity=low', 'severity=medium', 'severity=high']);
  assert.equal(request.reason, 'brakes');
  assert.equal(request.ticket, null);
  assert.equal(request.starts, null);
  assert.equal(toRequest({ ...draft, starts: '2026-11-20T22:00' }).starts, '2026-11-20T22:00:00Z');
});

test('a junior starts with what a junior may silence', () => {
  assert.deepEqual(emptyDraft(true).severities, ['info', 'low', 'medium']);
  assert.ok(!emptyDraft(false).severities.includes('critical'));
});

test('what is proposed is taken over, the reason only when there is a verdict', () => {
  const proposal = { incident: 'INC-7', cause: 'hardware_fault' as const, reason: '', attack: false, matchers: [{ field: 'rule', op: 'is' as const, value: 'storm' }] };
  assert.equal(fromProposal(proposal, false).reason, '');
  assert.equal(fromProposal({ ...proposal, reason: 'INC-7 was judged hardware_fault.' }, false).reason, 'INC-7 was judged hardware_fault. ');
  assert.equal(fromProposal(proposal, false).incident, 'INC-7');
});

test('matchers read as a sentence: either within a field, all across fields', () => {
  assert.equal(sentence([{ field: 'rule', op: 'glob', value: 'can_*' }, { field: 'model', op: 'is', value: 'A' }, { field: 'model', op: 'is', value: 'B' }, { field: 'group.bus', op: 'is', value: 'can0' }]), 'Rule is like can_* and Model is A or B and bus is can0');
});

test('the usual severities go without saying', () => {
  assert.equal(severitiesWord(['info', 'low', 'medium', 'high']), '');
  assert.equal(severitiesWord(['low', 'medium']), 'Low, Medium');
  assert.equal(severitiesWord(['info', 'low', 'medium', 'high', 'critical']), 'Info, Low, Medium, High, Critical');
});
