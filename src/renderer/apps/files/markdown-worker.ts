import { marked } from 'marked'

// Takes a text apart, away from the page: one that was made to take for ever, or to nest without end, stops this worker only.
addEventListener('message', ({ data }: MessageEvent<string>) => postMessage(marked.lexer(data, { gfm: true })))
