// The page of `serve`: what is new is asked for when the server says that something is, and shown.
(() => {
  const byId = id => document.getElementById(id);
  const link = byId('link'), main = document.querySelector('main'), welcome = byId('welcome');
  const form = byId('paste'), sheet = byId('sheet'), source = byId('source'), refused = byId('refused');
  // What of the server is shown: which run of it, and up to which change.
  let run = null, change = 0, rules = null, most = Infinity, domain = 'example.com';
  // Something has been shown before: what comes now is new.
  let shown = false;
  let awaited = Number(/^#m(\d+)$/.exec(location.hash)?.[1]) || null, unseen = 0;

  const element = (name, properties, ...children) => {
    const e = Object.assign(document.createElement(name), properties);
    e.append(...children);
    return e;
  };
  const count = (n, thing) => `${n} ${thing}${n === 1 ? '' : 's'}`;
  const clock = at => new Date(at).toLocaleTimeString();
  const size = octets => octets < 1e6 ? `${(octets / 1e3).toFixed(1)} KB` : `${(octets / 1e6).toFixed(1)} MB`;

  // Said to those who do not see it; several at once as one.
  let saying = null;
  const say = what => {
    clearTimeout(saying);
    saying = setTimeout(() => { byId('said').textContent = what; }, 150);
  };

  // Messages.

  const row = message => {
    let m = byId('m' + message.number);
    const fresh = !m;
    if (fresh) {
      m = element('details', { className: 'message', id: 'm' + message.number }, element('summary'), element('article'));
      m.name = 'message';
      m.dataset.number = message.number;
      const newest = main.querySelector('details.message');
      const after = newest && Number(newest.dataset.number) < message.number ? newest
        : page.all().find(other => Number(other.dataset.number) < message.number);
      main.insertBefore(m, after ?? byId('nothing'));
    }
    const summary = m.querySelector('summary'), before = m.dataset.outcome;
    summary.innerHTML = message.row;
    summary.querySelector('.badges small')?.append(` · ${clock(message.at)}`);
    m.dataset.path = message.path;
    m.dataset.fate = message.fate;
    m.dataset.answer = message.answer;
    m.dataset.rules = message.rules.join(' ');
    m.dataset.change = message.change;
    m.dataset.outcome = [message.fate, message.answer, message.rules].join();
    // What a rule file that was saved made another is seen at a glance.
    const other = !fresh && before !== m.dataset.outcome && message.fate !== 'waiting';
    if ((fresh && shown) || other) {
      m.classList.remove('new');
      void m.offsetWidth;
      m.classList.add('new');
    }
    page.changed(m);
    return { m, fresh };
  };

  // The article is fetched when it is looked at, and again when it is another.
  const fill = async m => {
    const wanted = m.dataset.change;
    if (m.dataset.filled === wanted) return;
    // Most are in transit for a blink: then there is one article to show, not two.
    if (m.dataset.fate === 'waiting' && !m.dataset.filled) {
      await new Promise(done => setTimeout(done, 150));
      if (m.dataset.change !== wanted) return;
    }
    let answer;
    try {
      answer = await fetch('/page/messages/' + m.dataset.number);
    } catch { return; }
    if (!answer.ok) return;
    const { change, html } = await answer.json();
    if (Number(m.dataset.filled ?? -1) > change) return;
    const article = m.querySelector('article');
    const opened = [...article.querySelectorAll('details')].map(d => d.open), top = article.scrollTop;
    article.innerHTML = html;
    article.querySelectorAll('details').forEach((d, nth) => { d.open = opened[nth] ?? d.open; });
    m.dataset.filled = change;
    page.frames(m);
    page.view(m);
    article.scrollTop = top;
    if (m.dataset.change !== String(change)) fill(m);
  };
  page.opened = m => { m.classList.remove('new'); fill(m); };

  // Whoever looks at the newest message, and has not begun to read it, sees the next one that comes.
  const follows = open => !open || (open === page.all()[0] && open.querySelector('article').scrollTop === 0);

  const messages = state => {
    const open = page.open(), follow = page.wide.matches && follows(open);
    const arrived = [];
    for (const m of page.all()) if (Number(m.dataset.number) < state.first) m.remove();
    for (const message of state.messages) {
      const { m, fresh } = row(message);
      if (fresh) arrived.push(m);
      if (m.open) fill(m);
    }
    const all = page.all();
    const wanted = awaited && byId('m' + awaited);
    awaited = wanted ? null : awaited;
    fates(all);
    met(all);
    page.filter();
    const next = wanted || (follow && arrived.length && all[0]);
    if (next && !next.hidden) next.open = true;
    if (wanted && page.wide.matches) wanted.querySelector('summary').scrollIntoView({ block: 'nearest' });
    if (arrived.length && shown) {
      const newest = arrived.reduce((a, b) => Number(a.dataset.number) > Number(b.dataset.number) ? a : b);
      say(arrived.length === 1 ? `A message arrived: ${newest.querySelector('strong').textContent}` : `${arrived.length} messages arrived`);
      if (document.hidden) unseen += arrived.length;
    }
    title();
    empty(all.length === 0);
    byId('summary').textContent = all.length ? count(all.length, 'message') : '';
  };
  const title = () => { document.title = (unseen ? `(${unseen}) ` : '') + 'Mailwright serve'; };
  document.addEventListener('visibilitychange', () => { unseen = 0; title(); });

  const fates = all => {
    const select = byId('fate'), chosen = select.value, counts = new Map();
    for (const m of all) for (const key of ['fate:' + m.dataset.fate, 'answer:' + m.dataset.answer]) counts.set(key, (counts.get(key) ?? 0) + 1);
    const options = [...counts.keys()].sort().reverse().map(key => {
      const word = key.slice(key.indexOf(':') + 1).replaceAll('_', ' ');
      return element('option', { value: key, textContent: `${word} (${counts.get(key)})` });
    });
    select.replaceChildren(element('option', { value: '', textContent: `All messages` }), ...options);
    select.value = counts.has(chosen) ? chosen : '';
  };

  // Rules.

  const met = all => {
    const counts = new Map();
    for (const m of all) for (const index of m.dataset.rules.split(' ')) counts.set(index, (counts.get(index) ?? 0) + 1);
    // Of a function that does not say which rules matched there is nothing to count.
    const unknown = !byId('who').hidden && all.every(m => !m.dataset.rules);
    for (const button of byId('each').querySelectorAll('button')) {
      const n = counts.get(button.dataset.rule) ?? 0;
      button.querySelector('b').textContent = unknown ? '' : n;
      button.classList.toggle('never', n === 0);
      button.setAttribute('aria-label', unknown ? button.dataset.name : `${button.dataset.name}: matched ${count(n, 'message')}`);
    }
  };
  const rule = (one, index) => {
    const button = element('button', { type: 'button', title: one.description ?? '' },
      element('span', { textContent: one.name }), ...(one.mode === 'enforce' ? [] : [element('small', { textContent: one.mode })]), element('b'));
    button.dataset.rule = index;
    button.dataset.name = one.name;
    button.setAttribute('aria-pressed', page.rule === String(index));
    button.addEventListener('click', () => {
      page.rule = page.rule === String(index) ? '' : String(index);
      for (const other of byId('each').querySelectorAll('button')) other.setAttribute('aria-pressed', page.rule === other.dataset.rule);
      about();
      page.filter();
    });
    return element('li', {}, button);
  };
  const about = () => {
    const chosen = rules.rules[page.rule];
    byId('about').textContent = chosen ? chosen.description : '';
  };
  const ruleset = state => {
    if (!state.rules) return;
    const again = rules !== null && rules.loaded !== state.rules.loaded;
    const chosen = rules?.rules[page.rule]?.name;
    rules = state.rules;
    const index = rules.rules.findIndex(one => one.name === chosen);
    page.rule = index < 0 ? '' : String(index);
    byId('each').replaceChildren(...rules.rules.map(rule));
    byId('ruled').textContent = rules.rules.length;
    about();
    const reloaded = byId('reloaded');
    reloaded.textContent = (again || rules.loads > 1 ? 'reloaded ' : 'loaded ') + clock(rules.loaded);
    if (again && !rules.problems) {
      reloaded.classList.remove('flash');
      void reloaded.offsetWidth;
      reloaded.classList.add('flash');
      say(`Rules reloaded: ${count(rules.rules.length, 'rule')}`);
    }
    const warnings = byId('warnings');
    warnings.hidden = !rules.warnings;
    if (rules.warnings) {
      warnings.querySelector('summary').textContent = count(rules.warnings.count, 'warning');
      warnings.querySelector('pre').innerHTML = rules.warnings.html;
    }
    const problems = byId('problems');
    if (!rules.problems) {
      if (!problems.hidden) say('The rules can be used again');
      problems.hidden = true;
      problems.replaceChildren();
      return;
    }
    problems.hidden = false;
    say(`The rules cannot be used: ${count(rules.problems.count, 'problem')}`);
    const pre = element('pre', { className: 'problem', tabIndex: 0 });
    pre.innerHTML = rules.problems.html;
    problems.replaceChildren(element('h2', { textContent: `The rules cannot be used: ${count(rules.problems.count, 'problem')}` }),
      element('p', { textContent: `What was saved at ${clock(rules.problems.at)} is not in use. The rules of ${clock(rules.loaded)} go on.` }), pre);
  };

  // Adding messages.

  const empty = is => {
    if (welcome.hidden === !is) return;
    welcome.hidden = !is;
    byId('add').hidden = is;
    if (is) byId('ways').before(form);
    else sheet.append(form);
    if (is && sheet.open) sheet.close();
  };
  const complain = what => {
    refused.textContent = what;
    refused.hidden = !what;
    if (what && !welcome.contains(form) && !sheet.open) sheet.showModal();
  };
  const tooLarge = (name, octets) => `${name} has ${size(octets)}, and a message may have ${size(most)} at most.`;

  const send = async (blob, name) => {
    if (blob.size > most) return complain(tooLarge(name, blob.size));
    const query = new URLSearchParams({ name });
    for (const [key, field] of [['direction', 'way'], ['from', 'from'], ['to', 'to']]) {
      const value = byId(field).value.trim();
      if (value && value !== 'auto') query.set(key, value);
    }
    let answer, said;
    try {
      answer = await fetch('/page/messages?' + query, { method: 'POST', headers: { 'Content-Type': 'message/rfc822' }, body: blob });
      said = await answer.json();
    } catch {
      return complain('The server does not answer. Does `mailwright serve` still run?');
    }
    if (!answer.ok) return complain(said.error);
    complain('');
    awaited = said.number;
    if (sheet.open) sheet.close();
    pull();
    return true;
  };
  // A text area knows one kind of line end; on the wire it is CRLF.
  const wire = text => new Blob([text.replace(/\r?\n/g, '\r\n')]);
  const looksLike = text => /^(From |[!-9;-~]+[ \t]*:)/.test(text.trimStart());

  form.addEventListener('submit', async event => {
    event.preventDefault();
    if (!source.value.trim()) { complain('There is nothing to run the rules over: paste the source of a message.'); source.focus(); return; }
    if (await send(wire(source.value), 'pasted')) source.value = '';
  });
  const hint = byId('hint'), hinted = hint.textContent;
  source.addEventListener('input', () => {
    const text = source.value.trim(), lacks = ['From', 'Date'].filter(name => !new RegExp(`^${name}[ \\t]*:`, 'im').test(text.split(/\n[ \t]*\n/, 1)[0]));
    const odd = !text ? '' : !looksLike(text) ? 'This does not begin with a header field: is it the whole source?'
      : lacks.length ? `This has no ${lacks.join(' and no ')}: WorkMail would not take it back when rules rewrite it.` : '';
    hint.textContent = odd || hinted;
    hint.classList.toggle('odd', Boolean(odd));
  });
  source.addEventListener('keydown', event => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  byId('example').addEventListener('click', () => {
    source.value = `From: Kim Berg <kim@customer.example>\nTo: Ann Meyer <ann@${domain}>\nSubject: Your offer of Monday\n` +
      `Message-ID: <${Date.now()}@customer.example>\nDate: ${new Date().toUTCString().replace('GMT', '+0000')}\nMIME-Version: 1.0\n` +
      'Content-Type: multipart/alternative; boundary="next"\n\n--next\nContent-Type: text/plain; charset=utf-8\n\n' +
      'Dear Ann,\n\nthank you for the offer. We take it.\n\nKim\n\n--next\nContent-Type: text/html; charset=utf-8\n\n' +
      '<p>Dear Ann,</p>\n<p>thank you for the offer. <b>We take it.</b></p>\n<p>Kim</p>\n\n--next--\n';
    source.dispatchEvent(new Event('input'));
    source.focus();
    source.setSelectionRange(0, 0);
  });
  const sendAll = async files => { for (const file of files) await send(file, file.name); };
  byId('files').addEventListener('change', async event => {
    await sendAll([...event.target.files]);
    event.target.value = '';
  });
  // Large texts go as they are: a text area would be slow with them.
  const LARGE = 200_000;
  document.addEventListener('paste', event => {
    const data = event.clipboardData, files = [...data.files];
    const text = files.length ? '' : data.getData('text/plain');
    const elsewhere = !event.target.closest('input, textarea, select');
    if (files.length) sendAll(files);
    else if (text.length > LARGE && (elsewhere || event.target === source)) send(wire(text), 'pasted');
    else if (elsewhere && looksLike(text)) {
      if (!welcome.contains(form) && !sheet.open) sheet.showModal();
      source.value = text;
      source.dispatchEvent(new Event('input'));
      source.focus();
    } else return;
    event.preventDefault();
  });
  const over = byId('over');
  const carries = event => event.dataTransfer && [...event.dataTransfer.types].some(type => type === 'Files');
  let depth = 0;
  document.addEventListener('dragenter', event => { if (carries(event)) { depth += 1; over.hidden = false; } });
  document.addEventListener('dragleave', event => { if (carries(event) && --depth <= 0) { depth = 0; over.hidden = true; } });
  document.addEventListener('dragover', event => { if (carries(event)) event.preventDefault(); });
  document.addEventListener('drop', event => {
    if (!carries(event)) return;
    event.preventDefault();
    depth = 0;
    over.hidden = true;
    sendAll([...event.dataTransfer.files]);
  });

  const add = () => {
    if (!welcome.hidden) { source.focus(); return; }
    complain('');
    if (!sheet.open) sheet.showModal();
    source.focus();
  };
  byId('add').addEventListener('click', add);
  page.keys.n = add;
  page.keys['?'] = () => byId('help').showModal();
  for (const dialog of document.querySelectorAll('dialog')) {
    dialog.querySelector('header button').addEventListener('click', () => dialog.close());
    dialog.addEventListener('click', event => { if (event.target === dialog) dialog.close(); });
  }

  // Another function may have changed without a rule file: it is for whoever looks to say when.
  const again = async () => {
    if (byId('again').hidden) return;
    try {
      const answer = await fetch('/page/again', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' });
      if (answer.ok) say(`${count((await answer.json()).messages, 'message')} run again`);
    } catch { is('gone'); }
  };
  byId('again').querySelector('button').addEventListener('click', again);
  page.keys.r = again;

  const ways = state => {
    if (!state.ways) return;
    byId('who').textContent = state.who;
    byId('who').hidden = byId('again').hidden = !state.who;
    byId('ways').replaceChildren(...state.ways.map(way => element('div', {},
      element('dt', { textContent: way.name }), element('dd', {}, element('code', { textContent: way.text })))));
  };

  // The server says that something is new, never what: that is asked for, and so nothing is missed.
  let pulling = false, once = false;
  const pull = async () => {
    if (pulling) { once = true; return; }
    pulling = true;
    try {
      do {
        once = false;
        const answer = await fetch(`/page/state?run=${run ?? ''}&since=${change}`);
        if (!answer.ok) throw new Error(answer.statusText);
        show(await answer.json());
        // Many that run anew come in a few answers.
        if (once) await new Promise(done => setTimeout(done, 60));
      } while (once);
      is('live');
    } catch {
      is('gone');
    }
    pulling = false;
  };
  const show = state => {
    if (state.run !== run) {
      page.all().forEach(m => m.remove());
      [rules, shown] = [null, false];
      run = state.run;
    }
    change = state.change;
    most = state.most ?? most;
    domain = state.domain ?? domain;
    ways(state);
    ruleset(state);
    messages(state);
    shown = true;
    measure();
  };
  const is = what => {
    if (link.dataset.is === what) return;
    link.dataset.is = what;
    link.textContent = { live: 'live', gone: 'not connected, trying again' }[what];
  };
  // Beside the list the article is fixed: it begins where the top ends, however high that is.
  const measure = () => {
    document.documentElement.style.setProperty('--top', `${document.querySelector('.columns').offsetTop}px`);
  };
  new ResizeObserver(measure).observe(byId('problems'));
  addEventListener('resize', measure);
  // Where there is little room, rules are folded away.
  byId('ruleset').open = page.wide.matches;

  const events = new EventSource('/page/events');
  events.addEventListener('open', pull);
  events.addEventListener('message', pull);
  events.addEventListener('error', () => is('gone'));
  pull();
})();
