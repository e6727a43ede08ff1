/** The page's entry. */
import { render } from 'preact';
import { App, pressed } from './app.tsx';
import { start } from './store.ts';
import './style.css';
import 'uplot/dist/uPlot.min.css';

addEventListener('keydown', pressed);
render(<App />, document.getElementById('page')!);
start();
