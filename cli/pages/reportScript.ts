/**
 * The script of a run's page: a slider, arrow keys and a button go through the grids of the strip, and show each large. It uses the
 * images that the page has, and without it they all stay visible.
 */
export const PLAYER = `
(() => {
  const [player, strip, now] = ['player', 'strip', 'now'].map((id) => document.getElementById(id));
  if (!player || !strip || !now) return;
  const [button, slider, said] = player.children;
  const [large, caption] = [now.querySelector('img'), now.querySelector('figcaption')];
  const frames = [...strip.querySelectorAll('figure')].map((f) => [f.querySelector('img'), f.querySelector('figcaption').textContent]);
  let timer = 0;
  const show = (i) => {
    const [image, text] = frames[i];
    slider.value = i;
    large.src = image.src;
    large.alt = image.alt;
    large.setAttribute('width', image.getAttribute('width'));
    large.setAttribute('height', image.getAttribute('height'));
    caption.textContent = said.textContent = text;
  };
  const stop = () => { clearInterval(timer); timer = 0; button.textContent = 'Play'; };
  const play = () => {
    if (Number(slider.value) === frames.length - 1) show(0);
    button.textContent = 'Pause';
    timer = setInterval(() => (Number(slider.value) < frames.length - 1 ? show(Number(slider.value) + 1) : stop()), 400);
  };
  button.onclick = () => (timer ? stop() : play());
  slider.oninput = () => { stop(); show(Number(slider.value)); };
  strip.onclick = (event) => {
    const i = frames.findIndex(([image]) => image === event.target);
    if (i >= 0) { stop(); show(i); }
  };
  said.textContent = frames.at(-1)[1];
  player.hidden = false;
})();
`;
