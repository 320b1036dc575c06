// The screens that are photographed and checked, each with what must be on it. Ids are taken from the server under test.
export async function placesOf(page) {
  const { incident, spread, vehicle, rule } = await page.evaluate(async () => {
    const rows = (await (await fetch('/api/v1/incidents?stage=-closed')).json()).rows;
    const one = rows.find((r) => r.vehicles === 1 && r.vid) ?? rows[0];
    const rules = (await (await fetch('/api/v1/rules')).json()).rows;
    return { rule: (rules.find((r) => r.versions > 0) ?? rules[0]).rule, incident: one.id, spread: (rows.find((r) => r.vehicles > 1) ?? rows[0]).id, vehicle: one.vid ?? (await (await fetch('/api/v1/vehicles?limit=1')).json()).rows[0].vid };
  });
  return [
    { name: 'queue', path: '/queue?stage=-closed', ready: '.grid-data' },
    { name: 'queue-peek', path: '/queue?stage=-closed', ready: '.grid-data', keys: ['j', ' '], then: '.peek .rank' },
    { name: 'queue-empty', path: '/queue?q=zzzznothing', ready: '.empty' },
    { name: 'incident', path: `/incidents/${incident}`, ready: '.tl-item' },
    { name: 'incident-spread', path: `/incidents/${spread}?tab=vehicles`, ready: '.tab-vehicles table' },
    { name: 'incident-events', path: `/incidents/${incident}?tab=events`, ready: '.events .grid-data', keys: ['Enter'], then: '.record' },
    { name: 'incident-alerts', path: `/incidents/${incident}?tab=alerts`, ready: '.tab-alerts table' },
    { name: 'incident-evidence', path: `/incidents/${incident}?tab=evidence`, ready: '.tab-evidence > *' },
    { name: 'incident-verdict', path: `/incidents/${incident}`, ready: '.tl-item', keys: ['t'], then: 'dialog[open]' },
    { name: 'vehicle', path: `/vehicles/${vehicle}?from=now-30d`, ready: '.activity .bars' },
    { name: 'vehicle-incidents', path: `/vehicles/${vehicle}?tab=incidents`, ready: '.tab-incidents > *' },
    { name: 'vehicle-config', path: `/vehicles/${vehicle}?tab=config`, ready: '.tab-config > *' },
    { name: 'vehicles', path: '/vehicles', ready: '.grid-data' },
    { name: 'silences', path: '/silences', ready: '.economy [role=tab]' },
    { name: 'silences-new', path: '/silences', ready: '.economy [role=tab]', keys: ['n'], then: 'dialog[open] .silence-figure' },
    { name: 'silences-held', path: '/silences?tab=held', ready: '.tab-held > *' },
    { name: 'silences-budgets', path: '/silences?tab=budgets', ready: '.budgets table' },
    { name: 'rules', path: '/rules', ready: '.rules table' },
    { name: 'rule', path: `/rules?rule=${encodeURIComponent(rule)}`, ready: '.rule-detail .facts' },
    { name: 'help', path: '/queue?stage=-closed', ready: '.grid-data', keys: ['?'], then: 'dialog[open]' },
    { name: 'palette', path: '/queue?stage=-closed', ready: '.grid-data', keys: ['Control+k'], then: 'dialog[open]' },
    { name: 'not-found', path: '/nowhere', ready: '.empty' },
  ];
}

export async function goTo(page, place) {
  await page.goto(place.path);
  await page.waitForSelector(place.ready);
  if (place.keys) {
    if (await page.$('[role=grid]')) await page.focus('[role=grid]');
    for (const key of place.keys) await page.keyboard.press(key);
  }
  if (place.then) await page.waitForSelector(place.then);
  await page.waitForFunction(() => document.fonts.status === 'loaded' && !document.querySelector('.skeleton'));
}
