package corpus

var spanish = Language{
	Code: "es", Name: "Lucía Peña Ibáñez", First: "Lucía", Address: "lucia.pena@tresrios.example.org", Domain: "tresrios.example.org",
	Card: []string{"Lucía Peña Ibáñez", "Jefa de Sistemas", "Hospital Tres Ríos", "Tel. +34 91 555 01 64"}, Closing: "Un saludo,",
	Re: "RE: ", Fwd: "RV: ", Subject: "Solicitud de acceso S000219: root en web-clinica-04",
	Notice: []string{
		"Hola Lucía:", "", "Andrés Mora solicita acceso a web-clinica-04 con la credencial root, del 3 de marzo de 2025 11:00 al 12:00 (UTC).",
		"Motivo: renovar el certificado del portal.", "", "Abrir la solicitud: https://orbit.example.com/decide/7pq1", "O responda a este correo con APROBAR o RECHAZAR en la primera línea.", "", "Orbit, centro de notificaciones",
	},
	Answers: []Answer{
		{"APROBAR", "approve"},
		{"Aprobar.\n\nPor favor, cierren la sesión antes de las doce.", "approve"},
		{"rechazar\n\nLa ventana de cambios se abre el jueves.", "reject"},
		{"Lo podría aprobar si el motivo fuera más claro. ¿Cuál es el número del caso?", ""},
		{"¡RECHAZAR!", "reject"},
		{"Por favor no aprobar nada de Andrés hoy, está de viaje.", ""},
		{"APROBAR\nsolo por una hora", "approve"},
		{"Aprobado, gracias.", ""},
		{"«APROBAR»", "approve"},
		{"¿Qué certificado? Nadie me ha avisado.\n\nHablemos a las diez.", ""},
		{"RECHAZAR\n\nUtilice la cuenta de solo lectura.", "reject"},
		{"¿aprobar?", ""},
		{"De acuerdo, pero consulte también a Nuria.", ""},
	},
	On: On{
		Gmail: "El lun, 3 mar 2025 a las 10:12, Orbit (<notifications@orbit.example.com>) escribió:", Apple: "El 3 mar 2025, a las 10:12, Orbit <notifications@orbit.example.com> escribió:",
		Thunderbird: "El 3/3/25 a las 10:12, Orbit escribió:", Yahoo: "El lunes, 3 de marzo de 2025, 10:12:33 CET, Orbit <notifications@orbit.example.com> escribió:",
		Roundcube: "El 2025-03-03 10:12, Orbit escribió:", Proton: "El lunes, 3 de marzo de 2025 a las 10:12, Orbit <notifications@orbit.example.com> escribió:",
	},
	Labels: Labels{"De", "Enviado el", "Para", "Asunto", "lunes, 3 de marzo de 2025 10:12"}, Original: "Mensaje original",
	IPhone: "Enviado desde mi iPhone", OutlookMobile: "Obtener Outlook para iOS", YahooPhone: "Enviado desde Yahoo Mail con Android",
	Disclaimer: "Este mensaje y sus anexos son confidenciales y van dirigidos solo a la persona indicada. Si lo ha recibido por error, bórrelo.",
	Away: Away{
		"Respuesta automática: ", "Fuera de la oficina: ",
		"Hola:\n\nestoy fuera de la oficina hasta el lunes 10 de marzo, con acceso limitado al correo.\n\nPara asuntos urgentes escriba a Nuria Vidal, nuria.vidal@tresrios.example.org.\n\nLucía Peña",
	},
	Read: Read{"Leído: ", "El mensaje se ha mostrado en el equipo del destinatario. No hay garantía de que se haya leído o comprendido.", "El mensaje\n\n   Para: Lucía Peña Ibáñez\n   Asunto: %s\n   Enviados: lunes, 3 de marzo de 2025 10:12:33 (UTC)\n\n fue leído el lunes, 3 de marzo de 2025 10:40:02 (UTC)."},
	Undelivered: Undelivered{
		"No se puede entregar: ", "No se pudo entregar el mensaje a lucia.pena@tresrios.example.org.", "No se encontró lucia.pena en tresrios.example.org.", "Encabezados de mensajes originales",
	},
}
