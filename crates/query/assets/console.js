// Makes pages handier. Every page does all it does without this file.
"use strict";

// A choice in a filter takes effect at once; one in a form that sends something waits for its button.
for (const choice of document.querySelectorAll("form[method=get] [data-submit]")) {
  choice.addEventListener("change", () => choice.form.requestSubmit());
}

// A form is sent once, however often its button is pressed.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// The numbers of a month beside the pointer; the table beneath the chart has them for everybody.
const figure = document.querySelector("[data-chart]");
if (figure) {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  figure.append(tip);
  for (const month of figure.querySelectorAll("[data-tip]")) {
    month.addEventListener("pointerenter", () => {
      tip.replaceChildren(
        ...month.dataset.tip.split("\n").map((line, at) => {
          const row = document.createElement(at ? "span" : "strong");
          row.textContent = line;
          return row;
        }),
      );
      tip.hidden = false;
      const [inside, around] = [month.getBoundingClientRect(), figure.getBoundingClientRect()];
      const middle = inside.left - around.left + inside.width / 2;
      const half = tip.offsetWidth / 2;
      tip.style.left = `${Math.min(Math.max(middle, half), around.width - half)}px`;
      tip.style.top = `${inside.top - around.top}px`;
    });
    month.addEventListener("pointerleave", () => (tip.hidden = true));
  }
}
