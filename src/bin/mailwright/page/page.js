'use strict';
// The list of messages, its filter, the frames of the open message, keys: what every page has.
const page = (() => {
  const byId = id => document.getElementById(id);
  const words = byId('words'), fate = byId('fate'), rule = byId('rule');
  const wide = matchMedia('(min-width: 1000px)');
  const texts = new WeakMap();
  const api = { wide, rule: '', opened: () => {}, filtered: () => {} };
  let view = 'rendered';

  api.all = () => [...document.querySelectorAll('details.message')];
  api.open = () => document.querySelector('details.message[open]');
  const text = m => {
    if (!texts.has(m)) texts.set(m, (m.querySelector('summary').textContent + ' ' + m.dataset.path).toLowerCase());
    return texts.get(m);
  };
  api.changed = m => texts.delete(m);

  api.filter = () => {
    const wanted = words.value.toLowerCase().trim(), [kind, word] = fate.value.split(':');
    const met = rule ? rule.value : api.rule, all = api.all();
    for (const m of all) {
      const hidden = !(text(m).includes(wanted)
        && (!kind || m.dataset[kind] === word)
        && (!met || m.dataset.rules.split(' ').includes(met)));
      if (m.hidden !== hidden) m.hidden = hidden;
    }
    const left = all.filter(m => !m.hidden), open = api.open();
    byId('count').textContent = left.length === all.length ? '' : `${left.length} of ${all.length}`;
    byId('nothing').hidden = left.length > 0 || all.length === 0;
    if (wide.matches && left.length && (!open || open.hidden)) left[0].open = true;
    else if (open && open.hidden) open.open = false;
    api.filtered(left.length, all.length);
  };
  byId('filter').hidden = false;
  byId('filter').addEventListener('input', api.filter);
  wide.addEventListener('change', api.filter);
  byId('filter').addEventListener('submit', event => event.preventDefault());

  // Each frame is a process: only those of the open message are there.
  api.frames = m => {
    m.querySelectorAll('iframe').forEach(frame => frame.remove());
    if (m.open) m.querySelectorAll('template').forEach(t => t.after(t.content.cloneNode(true)));
  };
  // The same view for the next message.
  api.view = m => {
    const radio = m.querySelector(`input[type=radio][value=${view}]`);
    if (radio) radio.checked = true;
  };
  document.addEventListener('change', event => {
    if (event.target.type === 'radio') view = event.target.value;
  });
  document.addEventListener('toggle', event => {
    const m = event.target;
    if (!m.matches('details.message')) return;
    api.frames(m);
    if (!m.open) return;
    api.view(m);
    // The address says which one is open.
    history.replaceState(null, '', '#' + m.id);
    if (!wide.matches) m.scrollIntoView({ block: 'start' });
    api.opened(m);
  }, true);

  const move = step => {
    const list = api.all().filter(m => !m.hidden), at = list.findIndex(m => m.open);
    const next = list[Math.max(0, Math.min(list.length - 1, at + step))];
    if (!next) return;
    next.open = true;
    next.querySelector('summary').focus();
  };
  const choose = nth => {
    const radio = api.open()?.querySelectorAll('.views > input')[nth];
    if (radio) radio.click();
  };
  const keys = { j: () => move(1), k: () => move(-1), '/': () => words.focus(), 1: () => choose(0), 2: () => choose(1), 3: () => choose(2) };
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.matches('#filter *')) {
      if (event.key === 'Escape') { words.value = ''; api.filter(); event.target.blur(); }
      return;
    }
    if (!keys[event.key] || event.target.closest('input:not([type=radio]), select, textarea, dialog')) return;
    keys[event.key]();
    event.preventDefault();
  });
  api.keys = keys;

  const named = location.hash && byId(location.hash.slice(1));
  api.all().filter(m => m.open).forEach(api.frames);
  if (named && named.matches('details.message')) named.open = true;
  else if (wide.matches && api.all().length) api.all()[0].open = true;
  return api;
})();
