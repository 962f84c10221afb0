// What the pages do beyond links and forms; without it everything still works, by loading pages.
// <form data-confirm="Really?">: asks before it sends. "/" goes to the search field.
// <input type="checkbox" data-all="name">, hidden without this: ticks all boxes of that name.
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
