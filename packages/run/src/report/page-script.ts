/** What a page does where scripts run: values beneath the pointer, the player of the samples, downloads. Without, all is there to read. */
export const pageScript = `
const tip = document.createElement('div');
tip.className = 'tip';
tip.setAttribute('role', 'status');
tip.hidden = true;
document.body.append(tip);
for (const svg of document.querySelectorAll('svg[data-hover]')) {
  const lines = JSON.parse(svg.dataset.hover);
  const box = svg.viewBox.baseVal;
  const mark = document.createElement('div');
  mark.className = 'mark';
  mark.hidden = true;
  svg.parentElement.append(mark);
  const isLine = !svg.querySelector('image');
  const hide = () => { tip.hidden = true; mark.hidden = true; };
  svg.addEventListener('pointerleave', hide);
  svg.addEventListener('pointermove', (event) => {
    const place = svg.getBoundingClientRect();
    const scale = place.width / box.width;
    const x = (event.clientX - place.left) / scale;
    const y = (event.clientY - place.top) / scale;
    let best; let least = Infinity;
    for (const { name, points } of lines) for (const [px, py, text] of points) {
      const far = isLine ? Math.abs(px - x) + Math.abs(py - y) * (lines.length > 1 ? 0.6 : 0.01) : Math.hypot(px - x, py - y);
      if (far < least) { least = far; best = [px, py, (name ? name + ', ' : '') + text]; }
    }
    if (best === undefined || (!isLine && least > 8)) return hide();
    const around = svg.parentElement.getBoundingClientRect();
    mark.style.left = place.left - around.left + svg.parentElement.scrollLeft + best[0] * scale + 'px';
    mark.style.top = place.top - around.top + best[1] * scale + 'px';
    tip.textContent = best[2];
    mark.hidden = tip.hidden = false;
    const width = tip.offsetWidth;
    tip.style.left = Math.max(6, Math.min(innerWidth - width - 6, place.left + best[0] * scale - width / 2)) + 'px';
    tip.style.top = Math.max(6, place.top + best[1] * scale - tip.offsetHeight - 12) + 'px';
  });
}
for (const player of document.querySelectorAll('.player')) {
  const frames = [...player.parentElement.querySelectorAll('.figure image')];
  const steps = JSON.parse(player.dataset.steps);
  const [button, slider, output] = player.children;
  let timer;
  const show = () => {
    frames.forEach((frame, index) => frame.setAttribute('display', index === Number(slider.value) ? 'inline' : 'none'));
    output.textContent = 'step ' + steps[slider.value].toLocaleString('en-US');
  };
  const pause = () => { clearInterval(timer); timer = undefined; button.textContent = 'Play'; };
  slider.addEventListener('input', () => { pause(); show(); });
  button.addEventListener('click', () => {
    if (timer !== undefined) return pause();
    button.textContent = 'Pause';
    if (Number(slider.value) === frames.length - 1) slider.value = 0;
    show();
    timer = setInterval(() => {
      slider.value = Number(slider.value) + 1;
      show();
      if (Number(slider.value) === frames.length - 1) pause();
    }, 500);
  });
  player.hidden = false;
  show();
}
for (const chooser of document.querySelectorAll('select.classes')) {
  const marks = chooser.closest('.card').querySelectorAll('[data-class]');
  chooser.addEventListener('change', () => {
    for (const mark of marks) mark.style.opacity = chooser.value === '' || mark.dataset.class === chooser.value ? '1' : '.06';
  });
}
for (const link of document.querySelectorAll('a[data-from]')) {
  const source = document.getElementById(link.dataset.from);
  const bytes = source.type === 'text/plain' ? Uint8Array.from(atob(source.textContent), (character) => character.charCodeAt(0)) : source.textContent;
  link.href = URL.createObjectURL(new Blob([bytes]));
  link.hidden = false;
}
`;
