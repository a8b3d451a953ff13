'use strict';
// The page of `nodescout fleet -o html`. Values come from labels, which are untrusted: they become text nodes and
// attributes only, never markup. Only the rows in view are in the document.
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const text = (id) => data.texts[id];
  const byId = (id) => document.getElementById(id);
  const make = (name, properties = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (key === 'class') element.className = value;
      else if (key in element && key !== 'role') element[key] = value;
      else element.setAttribute(key, value);
    }
    element.append(...children);
    return element;
  };

  // ---- data ---------------------------------------------------------------------------------------------------------

  const machines = data.rows.map((cells, index) => ({ index, cells: cells.map(text) }));
  const at = Object.fromEntries(data.columns.map((column, index) => [column.key, index]));
  const cell = (machine, key) => machine.cells[at[key]];
  const byName = new Map(machines.map((machine) => [cell(machine, 'name'), machine]));
  const labelsOf = (machine) => {
    const pairs = data.labels[machine.index];
    const labels = [];
    for (let i = 0; i < pairs.length; i += 2) labels.push([text(pairs[i]), text(pairs[i + 1])]);
    return labels;
  };
  // Columns that are empty everywhere are hidden. What is wrong is visible without scrolling.
  const kFirst = ['name', 'health'];
  const rank = (column) => kFirst.includes(column.key) ? kFirst.indexOf(column.key) : kFirst.length;
  const shown = data.columns
    .map((column, index) => ({ ...column, index }))
    .sort((a, b) => rank(a) - rank(b))
    .filter((column) => column.shown && (column.key === 'name' ||
      machines.some((machine) => machine.cells[column.index])));

  const compare = (a, b, isNumber) => {
    if (a === b) return 0;
    if (!a || !b) return a ? -1 : 1;
    return isNumber ? Number(a) - Number(b) : collator.compare(a, b);
  };
  const collator = new Intl.Collator('en', { numeric: true });

  // ---- filters ------------------------------------------------------------------------------------------------------

  const kChoices = ['health', 'model', 'driver', 'kernel', 'os', 'pool', 'type', 'agent'];
  const choices = [];
  let sortBy = null;
  let descending = false;
  let visible = machines;
  let active = 0;

  const haystacks = machines.map((machine) => machine.cells.join('\n').toLowerCase());
  let lowerTexts = null;
  // A search with = matches labels; their ids are found once for each search.
  const labelTest = (word) => {
    const equals = word.indexOf('=');
    if (equals <= 0) return null;
    const key = word.slice(0, equals);
    const value = word.slice(equals + 1);
    const keys = new Set();
    const values = new Set();
    lowerTexts = lowerTexts || data.texts.map((each) => each.toLowerCase());
    lowerTexts.forEach((lower, id) => {
      if (lower === key || lower.endsWith('/' + key)) keys.add(id);
      if (lower === value) values.add(id);
    });
    return (machine) => {
      const pairs = data.labels[machine.index];
      for (let i = 0; i < pairs.length; i += 2) if (keys.has(pairs[i]) && values.has(pairs[i + 1])) return true;
      return false;
    };
  };

  const filter = () => {
    const tests = byId('search').value.toLowerCase().split(/\s+/).filter(Boolean).map(
      (word) => labelTest(word) || ((machine) => haystacks[machine.index].includes(word)));
    for (const choice of choices) {
      if (choice.select.value === '') continue;
      const wanted = choice.values[Number(choice.select.value)];
      if (choice.key === 'health' && wanted === 'unhealthy') tests.push((machine) => cell(machine, 'health') !== 'ok');
      else tests.push((machine) => cell(machine, choice.key) === wanted);
    }
    visible = tests.length ? machines.filter((machine) => tests.every((test) => test(machine))) : machines.slice();
    if (sortBy) {
      visible.sort((a, b) => {
        const x = a.cells[sortBy.index], y = b.cells[sortBy.index];
        return !x || !y ? compare(x, y, sortBy.number) : (descending ? -1 : 1) * compare(x, y, sortBy.number);
      });
    }
    active = 0;
    grid.scrollTop = 0;
    byId('count').textContent = visible.length === machines.length ? `${machines.length} machines`
      : `${visible.length} of ${machines.length} machines`;
    grid.setAttribute('aria-rowcount', String(visible.length + 1));
    draw(true);
  };

  for (const key of kChoices) {
    if (!shown.some((column) => column.key === key)) continue;
    let values = [...new Set(machines.map((machine) => cell(machine, key)))].sort((a, b) => compare(a, b, false));
    if (key === 'health') values = ['ok', 'unhealthy', ...values.filter((value) => value !== 'ok')];
    if (values.length < 2) continue;
    const select = make('select', { name: key });
    select.append(make('option', { value: '' }, 'all'));
    values.forEach((value, index) => select.append(make('option', { value: String(index) }, value || 'none')));
    select.addEventListener('change', filter);
    byId('choices').append(make('label', {}, `${data.columns[at[key]].name} `, select));
    choices.push({ key, values, select });
  }
  byId('search').addEventListener('input', filter);
  byId('filters').addEventListener('submit', (event) => event.preventDefault());
  byId('clear').addEventListener('click', () => {
    byId('search').value = '';
    for (const choice of choices) choice.select.value = '';
    filter();
  });

  // ---- the table ----------------------------------------------------------------------------------------------------

  const kRow = 30;  // px, as in the style sheet
  const kMargin = 6;
  const grid = byId('grid');
  const table = grid.querySelector('table');
  const body = table.querySelector('tbody');
  let first = -1;
  let last = -1;

  const headings = shown.map((column) => {
    const longest = machines.reduce((most, machine) => Math.max(most, machine.cells[column.index].length),
      column.name.length + 2);
    const col = make('col');
    col.style.width = `calc(${Math.min(longest, 40)} * 0.62em + 18px)`;
    table.querySelector('colgroup').append(col);
    const button = make('button', { type: 'button' }, column.name);
    button.addEventListener('click', () => {
      descending = sortBy === column && !descending;
      sortBy = column;
      for (const heading of headings) {
        const mine = heading.column === column;
        heading.cell.setAttribute('aria-sort', !mine ? 'none' : descending ? 'descending' : 'ascending');
        heading.button.textContent = heading.column.name + (!mine ? '' : descending ? ' ▼' : ' ▲');
      }
      filter();
    });
    return { column, button, cell: make('th', { scope: 'col', role: 'columnheader', 'aria-sort': 'none',
                                               class: column.number ? 'number' : '', title: column.doc }, button) };
  });
  table.querySelector('thead').append(make('tr', { role: 'row', 'aria-rowindex': '1' },
    ...headings.map((heading) => heading.cell)));

  const classOf = (column, value) => {
    if (column.key === 'health') return value === 'ok' ? 'good' : 'bad';
    if (column.key === 'agent') return value === 'alive' ? 'good' : value === 'stale' ? 'bad' : 'dim';
    if (column.key === 'published') return value === 'changed' ? 'bad' : '';
    return column.number ? 'number' : '';
  };
  const rowOf = (machine, position) => {
    const row = make('tr', { role: 'row', id: `row-${position}`, 'aria-rowindex': String(position + 2),
                             class: (position % 2 ? 'odd' : '') + (position === active ? ' active' : ''),
                             'aria-selected': String(position === active) });
    for (const column of shown) {
      const value = machine.cells[column.index];
      row.append(make('td', { role: 'gridcell', class: classOf(column, value), title: value }, value || '–'));
    }
    row.addEventListener('click', () => { active = position; draw(true); open(machine); });
    return row;
  };
  const gap = (rows) => {
    const filler = make('td', { colSpan: shown.length });
    filler.style.height = `${rows * kRow}px`;
    return make('tr', { class: 'gap', 'aria-hidden': 'true' }, filler);
  };
  const draw = (anew) => {
    const from = Math.max(0, Math.floor(grid.scrollTop / kRow) - kMargin);
    const to = Math.min(visible.length, Math.ceil((grid.scrollTop + grid.clientHeight) / kRow) + kMargin);
    if (!anew && from === first && to === last) return;
    first = from;
    last = to;
    const rows = [];
    if (from > 0) rows.push(gap(from));
    for (let i = from; i < to; ++i) rows.push(rowOf(visible[i], i));
    if (to < visible.length) rows.push(gap(visible.length - to));
    if (!visible.length) rows.push(make('tr', { class: 'gap' }, make('td', { colSpan: shown.length },
      'No machine fits the filters.')));
    body.replaceChildren(...rows);
    if (visible.length) grid.setAttribute('aria-activedescendant', `row-${active}`);
    else grid.removeAttribute('aria-activedescendant');
  };
  let pending = false;
  grid.addEventListener('scroll', () => {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => { pending = false; draw(false); });
  });
  new ResizeObserver(() => draw(false)).observe(grid);

  const moveTo = (position) => {
    active = Math.max(0, Math.min(visible.length - 1, position));
    const head = table.querySelector('thead').offsetHeight;
    const top = active * kRow;
    if (top < grid.scrollTop) grid.scrollTop = top;
    if (top + kRow + head > grid.scrollTop + grid.clientHeight) grid.scrollTop = top + kRow + head - grid.clientHeight;
    draw(true);
  };
  grid.addEventListener('keydown', (event) => {
    if (event.target !== grid || !visible.length) return;
    const page = Math.max(1, Math.floor(grid.clientHeight / kRow) - 2);
    const moves = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page,
                    Home: 0, End: visible.length - 1 };
    if (event.key in moves) {
      event.preventDefault();
      moveTo(moves[event.key]);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      open(visible[active]);
    }
  });

  // ---- one machine --------------------------------------------------------------------------------------------------

  const shape = (name, attributes, content) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
    if (content !== undefined) element.textContent = content;
    return element;
  };
  const topologyOf = (machine) => {
    try {
      const parsed = JSON.parse(text(data.topology[machine.index]) || 'null');
      const texts = (list) => Array.isArray(list) ? list.filter((each) => typeof each === 'string').slice(0, 64) : [];
      return parsed && { gpus: texts(parsed.gpus), nics: texts(parsed.nics), near: texts(parsed['gpu-nic']),
                         joined: texts(parsed['gpu-gpu']) };
    } catch {
      return null;
    }
  };
  const kDistances = { 1: 'one PCIe switch', 2: 'several PCIe switches', 3: 'one host bridge', 4: 'one NUMA node',
    5: 'another NUMA node' };

  // What labels carry: how many GPUs there are, and how near they are to the NICs, but not their slots and links.
  const pictureOf = (machine) => {
    const topology = topologyOf(machine);
    const missing = Math.min(64, Number(cell(machine, 'missing')) || 0);
    const counted = Math.min(64, Number(cell(machine, 'gpus')) || 0);
    const model = cell(machine, 'model');
    const gpus = topology && topology.gpus.length ? topology.gpus.slice() : Array.from({ length: counted }, () => '');
    const nics = topology ? topology.nics : [];
    // The annotation has no place for a GPU that has left the bus.
    const lost = Math.max(0, Math.min(missing, counted - gpus.length));
    const boxes = gpus.length + lost;
    if (!gpus.length && !nics.length) return null;
    const kHeight = 34, kWidth = 300, kNic = 600, kTop = 10, kLeft = 60;
    const rows = Math.max(boxes, nics.length);
    const svg = shape('svg', { viewBox: `0 0 860 ${rows * kHeight + 2 * kTop}`, width: 860,
      height: rows * kHeight + 2 * kTop, role: 'img' });
    const said = [];
    const y = (index, count) => kTop + (index + (rows - count) / 2) * kHeight;
    const lines = [];
    gpus.forEach((address, index) => {
      const distances = topology && topology.near[index] ? [...topology.near[index]] : [];
      const best = distances.filter((each) => each >= '1' && each <= '5').sort()[0];
      // Lines to everything would show nothing: only those to the nearest, and none across NUMA nodes.
      if (!best || best > '4') return;
      distances.forEach((each, nic) => {
        if (each !== best || nic >= nics.length) return;
        lines.push(shape('line', { x1: kLeft + kWidth, y1: y(index, boxes) + 13, x2: kNic, y2: y(nic, nics.length) + 13,
                                   class: best <= '2' ? 'near' : 'far' }));
        said.push(`GPU ${index} and ${nics[nic]}: ${kDistances[best]}`);
      });
    });
    const joined = topology ? topology.joined.map((row) => /[ng]/.test(row)) : [];
    const members = joined.map((is, index) => is ? index : -1).filter((index) => index >= 0);
    if (members.length > 1) {
      const top = y(members[0], boxes) + 13, bottom = y(members[members.length - 1], boxes) + 13;
      svg.append(shape('line', { x1: 40, y1: top, x2: 40, y2: bottom, class: 'joined' }));
      for (const index of members) svg.append(shape('line', { x1: 40, y1: y(index, boxes) + 13, x2: kLeft,
        y2: y(index, boxes) + 13, class: 'joined' }));
      const kind = topology.joined.some((row) => row.includes('g')) ? 'xGMI' : 'NVLink';
      svg.append(shape('text', { x: 0, y: 0, transform: `translate(26 ${(top + bottom) / 2}) rotate(-90)`,
        'text-anchor': 'middle' }, kind));
      said.push(`${kind} joins ${members.length} GPUs`);
    }
    svg.append(...lines);
    const box = (x, index, count, css, label) => svg.append(
      shape('rect', { x, y: y(index, count), width: css.startsWith('gpu') ? kWidth : 250, height: 26, class: css }),
      shape('text', { x: x + 8, y: y(index, count) + 18 }, label.length > 40 ? label.slice(0, 39) + '…' : label));
    gpus.forEach((address, index) => box(kLeft, index, boxes, 'gpu', `GPU ${index}  ${address || model}`));
    for (let i = 0; i < lost; ++i) box(kLeft, gpus.length + i, boxes, 'gpu sick', 'GPU missing');
    nics.forEach((name, index) => box(kNic, index, nics.length, 'nic', name));
    const title = `${gpus.length} GPUs, ${nics.length} RDMA devices. ${said.join('; ')}`;
    svg.prepend(shape('title', {}, title));
    const notes = [], sick = [];
    const trouble = [[missing, 'missing'], [Number(cell(machine, 'failed')) || 0, 'failed'],
                     [Number(cell(machine, 'link_limited')) || 0,
                       'with a narrowed PCIe link']].filter(([count]) => count > 0);
    for (const [count, word] of trouble) sick.push(make('p', { class: 'bad' },
      `⚠ ${count} of ${counted || gpus.length} GPUs ${word}`));
    notes.push(make('p', { class: 'dim' }, 'A simplified picture: labels do not show which GPU is affected, nor ' +
      'slots and link widths. ' +
                    '“nodescout dump -o svg” on the machine draws these.'));
    return make('div', {}, ...sick, svg, ...notes);
  };

  const provenanceOf = (machine) => {
    const found = new Map();
    const parts = data.provenance[machine.index];
    for (let i = 0; i < parts.length; i += 4)
      found.set(text(parts[i]), parts.slice(i + 1, i + 4).map((each) => text(each) || 'unknown'));
    return found;
  };
  const listOf = (heads, rows) => make('table', { class: 'list' },
    make('thead', {}, make('tr', {}, ...heads.map((head) => make('th', { scope: 'col' }, head)))), make('tbody', {},
      ...rows));

  const dialog = byId('machine');
  const open = (machine) => {
    const name = cell(machine, 'name');
    byId('machine-name').textContent = name;
    const parts = [];
    const health = cell(machine, 'health');
    parts.push(make('p', { class: health === 'ok' ? 'good' : 'bad' }, health === 'ok' ? 'ok' : `Unhealthy: ${health}`));
    parts.push(make('dl', {}, ...data.columns
      .filter((column) => machine.cells[at[column.key]] && column.key !== 'name' && column.key !== 'health')
      .map((column) => make('div', { title: column.doc }, make('dt', {}, column.name),
        make('dd', {}, machine.cells[at[column.key]])))));
    const picture = pictureOf(machine);
    if (picture) parts.push(make('h3', {}, 'Picture'), picture);
    const differences = data.outliers.filter((outlier) => outlier.node === name);
    if (differences.length)
      parts.push(make('h3', {}, 'Differs from its group'), listOf(['What', 'Here', 'Majority', 'Agreeing'],
        differences.map((each) => make('tr', {}, make('td', {}, each.what),
          make('td', { class: 'bad' }, each.value || 'none'),
          make('td', {}, each.majority || 'none'), make('td', {}, `${each.agreeing} of ${each.members}`)))));
    const provenance = provenanceOf(machine);
    const labels = labelsOf(machine);
    const rows = labels.map(([key, value]) => {
      const [maker, since, probe] = provenance.get(key) || ['unknown', 'unknown', 'unknown'];
      const look = { class: provenance.has(key) ? '' : 'dim' };
      return { words: `${key}=${value} ${maker} ${probe}`.toLowerCase(),
               row: make('tr', {}, make('td', {}, key), make('td', {}, value), make('td', look, maker),
                         make('td', look, since), make('td', look, probe)) };
    });
    const search = make('input', { type: 'search', autocomplete: 'off', spellcheck: false });
    search.addEventListener('input', () => {
      const words = search.value.toLowerCase().split(/\s+/);
      for (const each of rows) each.row.hidden = !words.every((word) => each.words.includes(word));
    });
    parts.push(make('h3', {}, `Labels (${labels.length})`), make('p', {}, make('label', {}, 'Search labels ', search)),
               listOf(['Label', 'Value', 'Made by', 'Since', 'Probe'], rows.map((each) => each.row)));
    byId('details').replaceChildren(...parts);
    dialog.showModal();
    dialog.scrollTop = 0;
  };
  byId('close').addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });

  // ---- outliers -----------------------------------------------------------------------------------------------------

  const outlierTable = () => {
    if (!data.outliers.length) return make('p', {}, 'No differences.');
    const rows = [];
    let group = null;
    for (const each of data.outliers) {
      if (each.group !== group) {
        group = each.group;
        rows.push(make('tr', { class: 'group' }, make('th', { colSpan: 5, scope: 'rowgroup' },
          `${group} (${each.members} machines)`)));
      }
      const machine = byName.get(each.node);
      const link = make('button', { type: 'button' }, each.node || '(no majority)');
      if (machine) link.addEventListener('click', () => open(machine));
      rows.push(make('tr', {}, make('td', {}, machine ? link : each.node || '(no majority)'), make('td', {}, each.what),
        make('td', { class: 'bad' }, each.value || 'none'), make('td', {}, each.node ? each.majority || 'none' : '–'),
        make('td', {}, each.node ? `${each.agreeing} of ${each.members}` : '–')));
    }
    return listOf(['Machine', 'What', 'Value', 'Majority', 'Agreeing'], rows);
  };
  const tabs = ['machines', 'outliers'];
  const show = (wanted) => {
    for (const name of tabs) {
      byId(name).hidden = name !== wanted;
      const tab = byId(`tab-${name}`);
      tab.setAttribute('aria-selected', String(name === wanted));
      tab.tabIndex = name === wanted ? 0 : -1;
    }
    if (wanted === 'outliers' && !byId('differences').firstChild) byId('differences').append(outlierTable());
    if (wanted === 'machines') draw(true);
  };
  tabs.forEach((name, index) => {
    const tab = byId(`tab-${name}`);
    tab.addEventListener('click', () => show(name));
    tab.addEventListener('keydown', (event) => {
      if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
      const other = tabs[(index + 1) % tabs.length];
      show(other);
      byId(`tab-${other}`).focus();
    });
  });

  byId('summary').textContent = `${data.summary}. Made ${data.made}.`;
  byId('tab-outliers').textContent = `Outliers (${data.outliers.length})`;
  filter();
  document.documentElement.dataset.ready = 'true';
})();
