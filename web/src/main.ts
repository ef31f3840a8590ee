import { mount } from 'svelte';
import './app.css';
import App from './page/App.svelte';
import { installWorker } from './worker';
import { Page } from './page/page.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('the page lacks its #app element');
mount(App, { target, props: { page: new Page() } });
installWorker();
