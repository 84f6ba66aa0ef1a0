import type { AppStateOf } from '../../session/app-state.ts'
import type { OpenedPage, TabChange } from '../../main/electron/native-contract.ts'

type WebState = AppStateOf<'web'>

/**
 * What of a view's news belongs into the workspace; undefined: nothing. A page goes where the person at this display sends it;
 * what it does by itself after it came with the workspace is its own affair: two displays would else send each other on for ever.
 *
 * @param agreed  the address the workspace had when the view last followed it
 */
export function changeOf(app: WebState, change: TabChange, agreed: string | undefined): Partial<WebState> | undefined {
  const { history } = change
  const url = history?.urls[history.index]
  if (!history || url === undefined) return undefined
  const title = change.title.slice(0, 200)
  if (!change.byPerson) return url === app.url && app.title === '' && title !== '' ? { title } : undefined
  if (app.url !== agreed && app.url !== url) return undefined // another display has gone on; this view follows
  const sameHistory = history.urls.length === app.history.length && history.urls.every((one, index) => one === app.history[index])
  if (url === app.url && title === app.title && change.scrollY === app.scrollY && history.index === app.index && sameHistory)
    return undefined
  return { url, title, scrollY: change.scrollY, history: [...history.urls], index: history.index }
}

/** What a new view begins with: the tab's pages as the workspace has them. */
export function openedPage(app: WebState, byPerson: boolean): OpenedPage {
  const isPage = (url: string) => /^https?:\/\//.test(url)
  const known = app.history[app.index] === app.url ? { urls: app.history, index: app.index } : { urls: [app.url], index: 0 }
  const before = known.urls.slice(0, known.index).filter(isPage)
  const after = known.urls.slice(known.index + 1).filter(isPage)
  return { history: { urls: [...before, app.url, ...after], index: before.length }, scrollY: app.scrollY, byPerson }
}
