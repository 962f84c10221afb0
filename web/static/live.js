// What the pages do beyond links and forms; without it everything still works, by loading pages.
// <form data-confirm="Really?">: asks before it sends. "/" goes to the search field.
// <input type="checkbox" data-all="name">, hidden without this: ticks all boxes of that name.
// <input data-live="ID">: what its form would find replaces the part with that id while one types.
for (const form of document.querySelectorAll("form[data-confirm]"))
  form.addEventListener("submit", event => { if (!confirm(form.dataset.confirm)) event.preventDefault() })
for (const all of document.querySelectorAll("input[data-all]")) {
  all.closest("[hidden]").hidden = false
  all.addEventListener("change", () => {
    for (const each of document.getElementsByName(all.dataset.all))
      if (each.type == "checkbox") each.checked = all.checked
  })
}
addEventListener("keydown", event => {
  if (event.key !== "/" || event.target.matches("input, textarea, select")) return
  const search = document.querySelector("input[type=search]")
  if (search) { event.preventDefault(); search.focus() } else location.href = "/"
})

for (const search of document.querySelectorAll("input[data-live]")) {
  const part = () => document.getElementById(search.dataset.live)
  const hits = () => [...part().querySelectorAll("a.hit")]
  let pause, asking
  search.addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(look, 120) })
  function show(...nodes) { // whoever is on a hit already stays on it, or is back in the search
    const held = hits().find(each => each === document.activeElement)?.href
    part().replaceChildren(...nodes)
    if (held) (hits().find(each => each.href === held) ?? search).focus()
  }
  async function look() {
    asking?.abort()
    asking = new AbortController()
    const { signal } = asking
    const url = search.value.trim() ? `?${new URLSearchParams({ [search.name]: search.value })}` : location.pathname
    try {
      const answer = await fetch(url, { signal })
      if (answer.redirected) { location.href = url; return } // no longer logged in
      if (!answer.ok) throw new Error(answer.status)
      const found = new DOMParser().parseFromString(await answer.text(), "text/html")
      if (signal.aborted) return
      show(...found.getElementById(search.dataset.live).childNodes)
      document.title = found.title
      history.replaceState(null, "", url)
    } catch (problem) {
      const said = { className: "empty", textContent: "Steward did not answer. Press Enter to try again." }
      if (!signal.aborted) show(Object.assign(document.createElement("p"), said))
    }
  }
  addEventListener("keydown", event => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key], at = hits().indexOf(document.activeElement)
    if (!step || event.isComposing || (at < 0 && document.activeElement !== search)) return
    event.preventDefault()
    const next = at + step
    if (next < 0) search.focus()
    else hits()[Math.min(next, hits().length - 1)]?.focus()
  })
}
