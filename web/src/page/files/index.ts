/** All that the page needs for files, loaded once it is on screen. */
export { default as Attachments } from './Attachments.svelte';
export { default as AttachButton } from './AttachButton.svelte';
export { default as FilesPane } from './FilesPane.svelte';
export { default as Layer } from './Layer.svelte';
export { default as Sending } from './Sending.svelte';
export { default as Tray } from './Tray.svelte';
export { Files } from './files.svelte';
