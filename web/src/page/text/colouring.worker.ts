import { highlight } from './highlight';

/** Colours code beside the page: whatever the code does to the grammars, the page stays quick. */
interface Scope {
  onmessage: (event: MessageEvent<{ readonly text: string; readonly language: string }>) => void;
  postMessage(pieces: ReturnType<typeof highlight>): void;
}

const scope = globalThis as unknown as Scope;

scope.onmessage = ({ data }) => scope.postMessage(coloured(data.text, data.language));

/** Some grammars call themselves for every bracket, and a stack has an end. */
function coloured(text: string, language: string): ReturnType<typeof highlight> {
  try {
    return highlight(text, language);
  } catch {
    return null;
  }
}
