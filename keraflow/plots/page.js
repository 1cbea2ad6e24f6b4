// Opens and closes boxes, moves and searches the picture. The numbers in #geometry are those that placing.py and
// drawing.py draw with; names and texts are read from the picture alone, and never become markup.
'use strict';
(() => {
  const {gaps, rowGap, padding, head, tip, root, depth} = JSON.parse(document.getElementById('geometry').textContent);
  const canvas = document.querySelector('.kf'), view = canvas.querySelector('.kf-view');
  const search = document.getElementById('search'), found = document.getElementById('found');
  const details = document.getElementById('details');
  const children = (element, name) => [...element.children].filter(one => one.classList.contains(name));
  const short = value => String(Math.round(value * 100) / 100);
  const moved = (x, y) => `translate(${short(x)} ${short(y)})`;
  const boxes = [];                                         // all, each before those inside it

  class Area {
    constructor(data, element, host) {
      Object.assign(this, {data, element, host});
      this.isBox = item => item < data.n;
      this.above = data.x.map(() => []);
      this.below = data.x.map(() => []);
      this.stems = new Map();       // what the branches of a line that begins at a box have in common
      const pairs = new Set();
      data.runs.forEach((run, number) => run.slice(1).forEach((item, place) => {
        const key = `${run[place]} ${item}`;
        if (!pairs.has(key)) {
          pairs.add(key);
          this.below[run[place]].push({item, number});
          this.above[item].push({item: run[place], number});
        }
      }));
      this.rank = [];
      data.rows.forEach((row, number) => row.forEach(item => { this.rank[item] = number; }));
      const drawn = [...children(element, 'kf-lines')[0].children];
      this.lines = drawn.slice(0, data.runs.length);
      data.runs.forEach((run, number) => { if (run.length === 1) this.stems.set(run[0], this.lines[number]); });
      this.tips = new Map();
      let next = data.runs.length;
      this.boxes = children(element, 'kf-box').map((one, item) => {
        if (this.above[item].length) this.tips.set(item, drawn[next++]);
        const box = {area: this, item, element: one, card: [...children(one, 'kf-card')].pop(),
          right: children(one, 'kf-right')[0], label: one.getAttribute('aria-label'), inside: null};
        boxes.push(box);
        const inner = children(one, 'kf-area')[0];
        if (inner) box.inside = new Area(data.inside[item], inner, box);
        return box;
      });
    }

    sizes() {
      return this.data.x.map((_, item) => {
        if (!this.isBox(item)) return [0, 0];
        const box = this.boxes[item];
        if (!isOpen(box)) return this.data.size;
        const place = box.inside.arrange();
        return [Math.max(place.width + 2 * padding, this.data.size[0]), place.height + head + padding];
      });
    }

    // Moves items to the right until they have room; `sign` -1 does it to the left.
    spread(sizes, sign) {
      const columns = new Map(), before = new Map(), x = this.data.x.map(one => sign * one);
      this.data.rows.forEach(row => {
        const ordered = sign > 0 ? row : [...row].reverse();
        ordered.forEach((item, place) => {
          if (place) before.set(item, ordered[place - 1]);
          if (!columns.has(x[item])) columns.set(x[item], []);
          columns.get(x[item]).push(item);
        });
      });
      const result = [], all = [...columns.keys()].sort((one, other) => one - other);
      let now = 0, last = all[0];
      all.forEach(at => {
        now += at - last;
        columns.get(at).forEach(item => {
          const left = before.get(item);
          if (left === undefined) return;
          const gap = gaps[2 - this.isBox(left) - this.isBox(item)];
          now = Math.max(now, result[left] + (sizes[left][0] + sizes[item][0]) / 2 + gap);
        });
        columns.get(at).forEach(item => { result[item] = now; });
        last = at;
      });
      return result;
    }

    arrange() {
      const {data} = this, sizes = this.sizes(), left = this.spread(sizes, -1);
      let x = this.spread(sizes, 1).map((one, item) => (one - left[item]) / 2);
      const start = Math.min(...x.map((one, item) => one - sizes[item][0] / 2));
      x = x.map(one => one - start);
      const tops = [], bottoms = [], places = [];
      let y = 0;
      data.rows.forEach(row => {
        const height = Math.max(...row.map(item => sizes[item][1]));
        tops.push(y);
        bottoms.push(y + height);
        row.forEach(item => { if (this.isBox(item)) places[item] = [x[item] - sizes[item][0] / 2, y, ...sizes[item]]; });
        const aside = Math.max(0, ...row.flatMap(item => this.below[item].map(one => Math.abs(x[item] - x[one.item]))));
        y += height + Math.ceil(Math.min(rowGap[0] + rowGap[1] * aside, rowGap[2]));
      });
      this.place = {x, tops, bottoms, places, width: Math.max(...x.map((one, item) => one + sizes[item][0] / 2)),
        height: bottoms[bottoms.length - 1]};
      return this.place;
    }

    path(run) {
      const {x, tops, bottoms, places} = this.place, points = [], end = run[run.length - 1];
      run.forEach((item, number) => {
        let top = tops[this.rank[item]], bottom = bottoms[this.rank[item]];
        if (number === 0) top = run.length > 1 && this.below[item].length > 1 ? bottom : places[item][1] + places[item][3];
        else if (this.isBox(item)) bottom = top;
        points.push([x[item], top], [x[item], bottom]);
      });
      if (run.length > 1 && this.isBox(end)) {
        points.pop();
        points[points.length - 1][1] -= tip;
      }
      let [[lastX, lastY]] = points, path = `M${short(lastX)} ${short(lastY)}`;
      points.slice(1).forEach(([toX, toY]) => {
        const middle = short((lastY + toY) / 2);
        if (toX !== lastX) path += `C${short(lastX)} ${middle} ${short(toX)} ${middle} ${short(toX)} ${short(toY)}`;
        else if (toY !== lastY) path += `V${short(toY)}`;
        [lastX, lastY] = [toX, toY];
      });
      return path;
    }

    draw() {
      this.lines.forEach((line, number) => line.setAttribute('d', this.path(this.data.runs[number])));
      this.boxes.forEach(box => {
        const [left, top, width, height] = this.place.places[box.item];
        box.element.setAttribute('transform', moved(left, top));
        box.card.setAttribute('width', short(width));
        box.card.setAttribute('height', short(height));
        box.right.setAttribute('transform', moved(width, 0));
        if (this.tips.has(box.item)) this.tips.get(box.item).setAttribute('transform', moved(left + width / 2, top));
        if (isOpen(box)) {
          box.inside.element.setAttribute('transform', moved((width - box.inside.place.width) / 2, head));
          box.inside.draw();
        }
      });
    }

    // The boxes that lines lead to or come from, and these lines.
    neighbours(item, side) {
      const waiting = [...this[side][item]], reached = [], lines = new Set();
      while (waiting.length) {
        const one = waiting.pop();
        lines.add(this.lines[one.number]);
        const stem = this.stems.get(side === 'above' ? one.item : item);
        if (stem) lines.add(stem);
        if (this.isBox(one.item)) reached.push(this.boxes[one.item]);
        else waiting.push(...this[side][one.item]);
      }
      const far = (box, values) => Math.abs(values[box.item] - values[item]);
      return {lines, boxes: reached.sort((one, other) => far(one, this.rank) - far(other, this.rank)
        || far(one, this.data.x) - far(other, this.data.x) || this.data.x[one.item] - this.data.x[other.item])};
    }
  }

  const isOpen = box => box.element.classList.contains('kf-open');
  const set = (box, open) => {
    box.element.classList.toggle('kf-open', open);
    box.element.setAttribute('aria-expanded', open);
    if (open) box.inside.element.removeAttribute('display');
    else box.inside.element.setAttribute('display', 'none');
  };
  const outer = new Area(root, view.querySelector('.kf-area'), null);
  document.documentElement.classList.add('is-ready');       // the style gives the canvas all room
  if (!boxes.length) return;
  const redraw = () => { outer.arrange(); outer.draw(); };
  const isShown = box => !box.area.host || (isOpen(box.area.host) && isShown(box.area.host));

  // -- the view -------------------------------------------------------------------------------------------------------

  const at = {x: 0, y: 0, scale: 1};
  const show = () => view.setAttribute('transform', `translate(${short(at.x)} ${short(at.y)}) scale(${at.scale.toFixed(4)})`);
  const zoom = (factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) => {
    const scale = Math.min(Math.max(at.scale * factor, 0.02), 6);
    at.x = x - (x - at.x) * scale / at.scale;
    at.y = y - (y - at.y) * scale / at.scale;
    at.scale = scale;
    show();
  };
  const fit = () => {
    const {width, height} = outer.place, room = 32;
    at.scale = Math.max(Math.min((canvas.clientWidth - 2 * room) / width, (canvas.clientHeight - 2 * room) / height, 1.25), 0.02);
    at.x = (canvas.clientWidth - width * at.scale) / 2;
    at.y = Math.max((canvas.clientHeight - height * at.scale) / 2, room);
    show();
  };
  // At first, what can be read: of a large picture the top.
  const start = () => {
    const readable = 0.6;
    fit();
    if (at.scale >= readable) return;
    at.scale = readable;
    at.x = (canvas.clientWidth - outer.place.width * readable) / 2;
    at.y = 32;
    const [left, , width] = outer.place.places[outer.data.rows[0].find(outer.isBox)], x = at.x + left * readable;
    if (x < 0 || x + width * readable > canvas.clientWidth) at.x += canvas.clientWidth / 2 - x - width * readable / 2;
    show();
  };
  const placeOf = box => {
    const [left, top, width] = box.area.place.places[box.item];
    if (!box.area.host) return {left, top, width};
    const around = placeOf(box.area.host);
    return {left: around.left + left + (around.width - box.area.place.width) / 2, top: around.top + head + top, width};
  };
  const center = box => {
    const {left, top, width} = placeOf(box);
    at.scale = Math.max(at.scale, 0.6);
    at.x = canvas.clientWidth / 2 - (left + width / 2) * at.scale;
    at.y = canvas.clientHeight / 2 - (top + head / 2) * at.scale;
    show();
  };
  const keepInView = box => {
    const {left, top, width} = placeOf(box), x = at.x + left * at.scale, y = at.y + top * at.scale;
    if (x < 0 || y < 0 || x + width * at.scale > canvas.clientWidth || y + head * at.scale > canvas.clientHeight) center(box);
  };

  // -- what is selected -----------------------------------------------------------------------------------------------

  let selected = outer.boxes[0];
  const mark = (elements, name) => {
    canvas.querySelectorAll(`.${name}`).forEach(one => one.classList.remove(name));
    for (const one of elements) one.classList.add(name);
  };
  const select = (box, focused = true) => {
    selected.element.setAttribute('tabindex', -1);
    selected = box;
    box.element.setAttribute('tabindex', 0);
    if (focused) box.element.focus({preventScroll: true});
    const sides = ['above', 'below'].map(side => box.area.neighbours(box.item, side));
    mark([box.element], 'kf-selected');
    mark(sides.flatMap(side => [...side.lines]), 'kf-lit');
    const [title, ...lines] = box.label.split('\n');
    details.querySelector('h2').textContent = title;
    details.querySelector('p').textContent = lines.join('\n');
    details.hidden = false;
  };
  const toggle = (box, open = !isOpen(box)) => {
    const before = placeOf(box);
    set(box, open);
    redraw();
    const after = placeOf(box);     // what was clicked stays where it is
    at.x += (before.left + before.width / 2 - after.left - after.width / 2) * at.scale;
    at.y += (before.top - after.top) * at.scale;
    show();
  };
  const toggleAll = open => {
    boxes.forEach(box => { if (box.inside) set(box, open); });
    while (!isShown(selected)) selected = selected.area.host;
    redraw();
    fit();
  };
  const boxAt = target => {
    const element = target.closest('.kf-box');
    return element && boxes.find(box => box.element === element);
  };
  const step = (box, key) => {
    const {area, item} = box, row = area.data.rows[area.rank[item]].filter(area.isBox);
    if (key === 'ArrowDown') return area.neighbours(item, 'below').boxes[0];
    if (key === 'ArrowUp') return area.neighbours(item, 'above').boxes[0];
    return area.boxes[row[row.indexOf(item) + (key === 'ArrowRight' ? 1 : -1)]];
  };

  // -- search ---------------------------------------------------------------------------------------------------------

  let hits = [], current = -1;
  const look = () => {
    const words = search.value.trim().toLowerCase();
    hits = words ? boxes.filter(box => box.label.split('\n')[0].toLowerCase().includes(words)) : [];
    current = -1;
    canvas.classList.toggle('kf-searching', hits.length > 0);
    const around = new Set();       // a closed box shows that something inside it was found
    hits.forEach(box => { for (let one = box; one; one = one.area.host) around.add(one.element); });
    mark(around, 'kf-found');
    found.textContent = words ? `${hits.length} found` : '';
  };
  const next = direction => {
    if (!hits.length) return;
    current = (current + direction + hits.length) % hits.length;
    const box = hits[current];
    for (let host = box.area.host; host; host = host.area.host) set(host, true);
    redraw();
    select(box, false);
    center(box);
    found.textContent = `${current + 1} of ${hits.length}`;
  };

  // -- events ---------------------------------------------------------------------------------------------------------

  search.addEventListener('input', look);
  search.addEventListener('keydown', event => {
    if (event.key === 'Enter') next(event.shiftKey ? -1 : 1);
    if (event.key === 'Escape') { search.value = ''; look(); selected.element.focus(); }
  });
  const actions = {open: () => toggleAll(true), close: () => toggleAll(false), in: () => zoom(1.25), out: () => zoom(0.8), fit};
  document.querySelectorAll('[data-do]').forEach(one => one.addEventListener('click', actions[one.dataset.do]));
  document.addEventListener('keydown', event => {
    if (event.target === search || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = {'+': 'in', '=': 'in', '-': 'out', '0': 'fit'}[event.key];
    if (key) actions[key]();
    else if (event.key === '/') search.focus();
    else return;
    event.preventDefault();
  });
  canvas.addEventListener('keydown', event => {
    const box = boxAt(event.target);
    if (!box) return;
    let to = null;
    if (event.key.startsWith('Arrow')) to = step(box, event.key);
    else if (event.key === 'Escape') to = box.area.host;
    else if ((event.key === 'Enter' || event.key === ' ') && box.inside) {
      toggle(box);
      if (isOpen(box)) to = box.inside.boxes[box.inside.data.rows[0].find(box.inside.isBox)];
    } else return;
    event.preventDefault();
    if (to) { select(to); keepInView(to); }
  });
  const pointers = new Map();
  let wasMoved = 0;
  canvas.addEventListener('pointerdown', event => {
    pointers.set(event.pointerId, event);
    if (pointers.size === 1) wasMoved = 0;
  });
  canvas.addEventListener('pointermove', event => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const other = [...pointers.values()].find(one => one.pointerId !== event.pointerId);
    const dx = event.clientX - before.clientX, dy = event.clientY - before.clientY;
    wasMoved += Math.abs(dx) + Math.abs(dy);
    if (wasMoved > 4) canvas.setPointerCapture(event.pointerId);
    const box = canvas.getBoundingClientRect();
    if (other) {
      const distance = one => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
      zoom(distance(event) / Math.max(distance(before), 1), (event.clientX + other.clientX) / 2 - box.left,
        (event.clientY + other.clientY) / 2 - box.top);
    } else {
      at.x += dx;
      at.y += dy;
      show();
    }
    pointers.set(event.pointerId, event);
  });
  for (const name of ['pointerup', 'pointercancel'])
    canvas.addEventListener(name, event => pointers.delete(event.pointerId));
  canvas.addEventListener('click', event => {
    const box = boxAt(event.target);
    if (wasMoved > 4) return;
    if (!box) {
      details.hidden = true;
      mark([], 'kf-selected');
      mark([], 'kf-lit');
      return;
    }
    select(box);
    const isHead = event.target !== box.card || !isOpen(box);
    if (box.inside && isHead) toggle(box);
  });
  canvas.addEventListener('wheel', event => {
    event.preventDefault();
    const box = canvas.getBoundingClientRect();
    if (event.ctrlKey || event.metaKey)
      zoom(Math.exp(-event.deltaY / 200), event.clientX - box.left, event.clientY - box.top);
    else {
      at.x -= event.shiftKey ? event.deltaY : event.deltaX;
      at.y -= event.shiftKey ? 0 : event.deltaY;
      show();
    }
  }, {passive: false});
  let width = 0;
  window.addEventListener('resize', () => {
    at.x += (canvas.clientWidth - width) / 2;
    width = canvas.clientWidth;
    show();
  });

  width = canvas.clientWidth;
  redraw();
  start();
  selected.element.setAttribute('tabindex', 0);
})();
