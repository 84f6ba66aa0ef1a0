import type { Disposable } from '../../../base/disposable.ts'
import type { EchoOverlay } from './predictive-echo.ts'

/**
 * Draws guessed letters over the terminal's screen, underlined until they are confirmed, and the cursor where it will be.
 * Lies inside xterm's own screen element, which is exactly columns x rows cells large.
 */
export class EchoOverlayLayer implements Disposable {
  readonly #root: HTMLDivElement

  constructor(screen: HTMLElement) {
    this.#root = document.createElement('div')
    this.#root.className = 'terminal-echo'
    this.#root.setAttribute('aria-hidden', 'true')
    screen.append(this.#root)
  }

  /** As the terminal's own letters. */
  setFont(fontPx: number): void {
    this.#root.style.fontSize = `${fontPx}px`
  }

  /** `deviceCursor`: where the device's own cursor is drawn, to be covered. */
  draw(
    overlay: EchoOverlay | undefined,
    size: { columns: number; rows: number },
    deviceCursor: { x: number; y: number; char: string },
  ): void {
    if (!overlay) {
      if (this.#root.childElementCount > 0) this.#root.replaceChildren()
      return
    }
    const cells = [...overlay.cells]
    this.#root.style.lineHeight = `${this.#root.clientHeight / size.rows}px`
    const covered = cells.some((cell) => cell.x === deviceCursor.x && cell.y === deviceCursor.y)
    const nodes = cells.map((cell) => this.#cell(cell.x, cell.y, cell.char, size, 'guess'))
    if (!covered) nodes.push(this.#cell(deviceCursor.x, deviceCursor.y, deviceCursor.char, size, 'cover'))
    const under = overlay.cells.find((cell) => cell.x === overlay.cursorX && cell.y === overlay.cursorY)
    nodes.push(this.#cell(overlay.cursorX, overlay.cursorY, under?.char ?? ' ', size, 'cursor'))
    this.#root.replaceChildren(...nodes)
  }

  #cell(x: number, y: number, char: string, size: { columns: number; rows: number }, kind: string): HTMLSpanElement {
    const cell = document.createElement('span')
    cell.dataset['kind'] = kind
    cell.textContent = char
    cell.style.left = `${(100 * x) / size.columns}%`
    cell.style.top = `${(100 * y) / size.rows}%`
    cell.style.width = `${100 / size.columns}%`
    cell.style.height = `${100 / size.rows}%`
    return cell
  }

  dispose(): void {
    this.#root.remove()
  }
}
