// A demonstration shop that changes pages without loading them, as most shops do: the chat stays as it is.
const goods = [
  { id: "teapot", look: "clay", name: "Clay teapot", price: 48, words: "Thrown by hand, holds 600 ml, pours without a drip." },
  { id: "cup", look: "celadon", name: "Celadon cup", price: 16, words: "A wide cup in grey-green glaze. Each one differs a little." },
  { id: "tin", look: "ochre", name: "Morning tin", price: 12, words: "Malty leaves from Assam and Yunnan, 100 g in a tin that closes." },
  { id: "kettle", look: "ink", name: "Enamel kettle", price: 64, words: "For gas and induction, 1.4 litres, with a handle that stays cool." },
  { id: "whisk", look: "moss", name: "Matcha bowl and whisk", price: 39, words: "A bowl, a bamboo whisk and 30 g of ceremonial matcha." },
  { id: "tray", look: "chalk", name: "Tray for two", price: 34, words: "Oiled oak, just long enough for two cups and a plate." },
];
const price = new Intl.NumberFormat("en-GB", { style: "currency", currency: "GBP" });
const all = document.getElementById("all");
const one = document.getElementById("one");
const basket = [];

function make(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function art(good) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", `art ${good.look}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", good.name);
  const use = document.createElementNS(svg.namespaceURI, "use");
  use.setAttribute("href", `#${good.id}`);
  svg.append(use);
  return svg;
}

function buyButton(good) {
  const button = make("button", "", "Add to basket");
  button.type = "button";
  button.addEventListener("click", () => {
    basket.push(good);
    const total = basket.reduce((sum, each) => sum + each.price, 0);
    document.getElementById("basket").replaceChildren("Basket ", make("b", "", `${basket.length} · ${price.format(total)}`));
  });
  return button;
}

function address(id) {
  const query = new URLSearchParams(location.search);
  query.delete("item");
  if (id) query.set("item", id);
  return `?${query}`;
}

function go(id) {
  history.pushState(null, "", address(id));
  show();
}

function card(good) {
  const item = make("li");
  const text = make("div", "text");
  const link = make("a", "", good.name);
  link.href = address(good.id);
  link.addEventListener("click", (event) => {
    event.preventDefault();
    go(good.id);
  });
  text.append(link, make("span", "price", price.format(good.price)), make("p", "", good.words), buyButton(good));
  item.append(art(good), text);
  return item;
}

function show() {
  const good = goods.find((each) => each.id === new URLSearchParams(location.search).get("item"));
  all.hidden = Boolean(good);
  one.hidden = !good;
  document.title = good ? `${good.name}: Fernhill` : "Fernhill: tea and the things around it";
  if (!good) return;
  const back = make("a", "back", "← All goods");
  back.href = address();
  back.addEventListener("click", (event) => {
    event.preventDefault();
    go();
  });
  const text = make("div");
  text.append(make("h1", "", good.name), make("p", "price", price.format(good.price)), make("p", "", good.words), buyButton(good));
  one.replaceChildren(back, art(good), text);
  scrollTo(0, 0);
}

document.getElementById("list").append(...goods.map(card));
for (const link of document.querySelectorAll("[data-home]")) link.addEventListener("click", () => one.hidden || go());
addEventListener("popstate", show);
show();
