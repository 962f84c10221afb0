// What the pages do beyond links and forms; without it everything still works, by loading pages.
// <form data-live="#results">: while somebody types, the part of the page with that id is fetched anew (?part=1).
// <form data-confirm="Really?">: asks before it sends. "/" goes to the search field. <input data-all="name"> ticks all.
for (const form of document.querySelectorAll("form[data-live]")) {
  let waiting, asked = 0
  form.addEventListener("input", () => {
    clearTimeout(waiting)
    waiting = setTimeout(async () => {
      const mine = ++asked
      const values = new URLSearchParams(new FormData(form))
      history.replaceState(null, "", `${form.action.split("?")[0]}?${values}`)
      const answer = await fetch(`${form.action.split("?")[0]}?${values}&part=1`)
      if (answer.ok && mine === asked) document.querySelector(form.dataset.live).innerHTML = await answer.text()
    }, 120)
  })
}
for (const form of document.querySelectorAll("form[data-confirm]"))
  form.addEventListener("submit", event => { if (!confirm(form.dataset.confirm)) event.preventDefault() })
for (const all of document.querySelectorAll("input[data-all]"))
  all.addEventListener("change", () => {
    for (const one of document.querySelectorAll(`input[name="${all.dataset.all}"]`)) one.checked = all.checked
  })
addEventListener("keydown", event => {
  if (event.key !== "/" || event.target.matches("input, textarea, select")) return
  const search = document.querySelector("input[type=search]")
  if (search) { event.preventDefault(); search.focus() } else location.href = "/"
})
