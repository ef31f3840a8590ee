import { mount } from 'svelte';
import './app.css';
import App from './page/App.svelte';
import { installWorker } from './worker';
import { Page } from './page/state/page.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('the page lacks its #app element');
const page = new Page();
// Nobody is to see another language first, but it is better than none.
void page.language
  .load()
  .catch(() => undefined)
  .then(() => mount(App, { target, props: { page } }));
installWorker();
