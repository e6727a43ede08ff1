/** The page's entry. */
import { render } from 'preact';
import { App, pressed } from './app.tsx';
import { paste } from './drawing.tsx';
import { start } from './store.ts';
import './style.css';
import 'uplot/dist/uPlot.min.css';

addEventListener('keydown', pressed);
addEventListener('dragover', (event) => event.preventDefault());
addEventListener('drop', (event) => {
  event.preventDefault();
  const file = event.dataTransfer?.files[0];
  if (file) void file.text().then(paste);
});
render(<App />, document.getElementById('page')!);
start();
