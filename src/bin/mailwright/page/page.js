'use strict';
(() => {
  const all = [...document.querySelectorAll('details.message')];
  const byId = id => document.getElementById(id);
  const words = byId('words'), fate = byId('fate'), rule = byId('rule');
  const texts = new Map(all.map(m => [m, (m.querySelector('summary').textContent + ' ' + m.dataset.path).toLowerCase()]));
  const shown = () => all.filter(m => !m.hidden);

  const filter = () => {
    const wanted = words.value.toLowerCase().trim(), [kind, word] = fate.value.split(':');
    for (const m of all) {
      m.hidden = !(texts.get(m).includes(wanted)
        && (!kind || m.dataset[kind] === word)
        && (!rule.value || m.dataset.rules.split(' ').includes(rule.value)));
    }
    const left = shown();
    byId('count').textContent = left.length === all.length ? '' : `${left.length} of ${all.length}`;
    byId('nothing').hidden = left.length > 0;
    const open = all.find(m => m.open);
    if (wide.matches && left.length && (!open || open.hidden)) left[0].open = true;
    else if (open && open.hidden) open.open = false;
  };
  const wide = matchMedia('(min-width: 1000px)');
  byId('filter').hidden = false;
  byId('filter').addEventListener('input', filter);
  byId('filter').addEventListener('submit', event => event.preventDefault());

  // Each frame is a process: only those of the open message are there.
  const frames = m => {
    m.querySelectorAll('iframe').forEach(frame => frame.remove());
    if (m.open) m.querySelectorAll('template').forEach(t => t.after(t.content.cloneNode(true)));
  };

  // The same view for the next message; the address says which one is open.
  let view = 'rendered';
  document.addEventListener('change', event => {
    if (event.target.type === 'radio') view = event.target.value;
  });
  document.addEventListener('toggle', event => {
    const m = event.target;
    if (!m.matches('details.message')) return;
    frames(m);
    if (!m.open) return;
    const radio = m.querySelector(`input[type=radio][value=${view}]`);
    if (radio) radio.checked = true;
    history.replaceState(null, '', '#' + m.id);
    if (!wide.matches) m.scrollIntoView({ block: 'start' });
  }, true);

  const move = step => {
    const list = shown(), at = list.findIndex(m => m.open);
    const next = list[Math.max(0, Math.min(list.length - 1, at + step))];
    if (!next) return;
    next.open = true;
    next.querySelector('summary').focus();
  };
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches('input[type=search], select')) {
      if (event.key === 'Escape') { words.value = ''; filter(); event.target.blur(); }
      return;
    }
    if (event.key === 'j') move(1);
    else if (event.key === 'k') move(-1);
    else if (event.key === '/') { words.focus(); event.preventDefault(); }
  });

  all.filter(m => m.open).forEach(frames);
  const named = location.hash && byId(location.hash.slice(1));
  if (named && named.matches('details.message')) named.open = true;
  else if (wide.matches && all.length) all[0].open = true;
})();
