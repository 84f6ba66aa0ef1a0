/** Browsers drop the oldest WebGL context above 16 a page; half of that leaves room for web pages and previews. */
const MAX_CONTEXTS = 8
/** Renderers that draw on the processor: slower than the page's own text. */
const SOFTWARE = /swiftshader|llvmpipe|software|basic render/i

let present: boolean | undefined
let taken = 0

/** Is there a graphics card? Asked once a page: each question costs a context of its own. */
function hasGraphicsCard(): boolean {
  if (present !== undefined) return present
  const context = document.createElement('canvas').getContext('webgl2', { failIfMajorPerformanceCaveat: true })
  const names = context?.getExtension('WEBGL_debug_renderer_info')
  const renderer = context && names ? String(context.getParameter(names.UNMASKED_RENDERER_WEBGL)) : ''
  context?.getExtension('WEBGL_lose_context')?.loseContext()
  present = context !== null && !SOFTWARE.test(renderer)
  return present
}

/** One of the few contexts there are, or undefined: then xterm's own way of drawing, which is right everywhere. */
export function takeGraphicsContext(): { dispose(): void } | undefined {
  if (taken >= MAX_CONTEXTS || !hasGraphicsCard()) return undefined
  taken++
  let held = true
  return {
    dispose() {
      if (held) taken--
      held = false
    },
  }
}
