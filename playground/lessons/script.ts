/** What a lesson does with JavaScript: figures follow their slider, panels open on a press, numbers are checked. */
import { figures } from '../figures/figures.ts';
import { isRight, numbersIn } from './check.ts';
import './lesson.css';

for (const box of document.querySelectorAll<HTMLElement>('[data-figure]')) {
  const { draw } = figures[box.dataset.figure!]!;
  const input = box.querySelector('input')!;
  input.disabled = false;
  input.addEventListener('input', () => {
    const { svg, says } = draw(input.valueAsNumber);
    box.querySelector('.drawn')!.innerHTML = svg; // of numbers alone
    box.querySelector('output')!.textContent = says;
  });
}

for (const box of document.querySelectorAll<HTMLElement>('[data-panel]')) {
  const link = box.querySelector('a')!;
  const button = Object.assign(document.createElement('button'), {
    type: 'button',
    textContent: 'Open the panel here',
  });
  button.addEventListener('click', () => {
    // An engine of its own, which starts only now.
    const frame = Object.assign(document.createElement('iframe'), { src: link.href, title: box.dataset.panel! });
    button.replaceWith(frame);
  });
  box.prepend(button);
}

for (const form of document.querySelectorAll<HTMLFormElement>('form[data-value]')) {
  form.querySelector('button')!.disabled = false;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const { value, tolerance, right, wrong } = form.dataset;
    const wanted = JSON.parse(value!) as readonly number[];
    const given = numbersIn(form.querySelector('input')!.value);
    const fits = isRight(given, wanted, Number(tolerance));
    const output = form.querySelector('output')!;
    output.className = fits ? 'right' : 'wrong';
    if (fits) output.textContent = `✓ Right. ${right}`;
    else if (given.length !== wanted.length)
      output.textContent = `Not yet: ${wanted.length === 1 ? 'one number is' : `${wanted.length} numbers are`} asked for. ${wrong}`;
    else output.textContent = `Not yet. ${wrong}`;
  });
}
